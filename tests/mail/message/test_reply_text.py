"""The author's own text, without quotes, signatures and markup."""

from __future__ import annotations

import base64
import quopri

import pytest

from mailer.mail.inbound.parse_mail import parse_inbound_mail
from mailer.mail.message.parsed_message import ParsedMessage


def own_words(body: str | bytes, *fields: str) -> str:
    octets = body if isinstance(body, bytes) else body.encode()
    head = "\r\n".join(("From: rosa@example.org", *fields)).encode()
    return parse_inbound_mail(ParsedMessage(head + b"\r\n\r\n" + octets), "rosa@example.org").reply_text


@pytest.mark.parametrize(
    "rest",
    [
        "> Do you want to join?",
        "On Fri, 3 May 2030 at 10:00, Appeals <appeals@lists.example.org> wrote:\n> Reply to join.",
        "On Fri, 3 May 2030 at 10:00, Appeals\n<appeals@lists.example.org> wrote:\n\n> Reply to join.",
        "On Fri, 3 May 2030 at 10:00, Appeals wrote:\nReply to join, unmarked.",
        "Am Fr., 3. Mai 2030 um 10:00 Uhr schrieb Appeals <\nappeals@lists.example.org>:\n> Antworten",
        "Appeals schrieb am 03.05.2030 um 10:00:\n> Antworten",
        "Appeals <appeals@lists.example.org>, 3 May 2030 Cum, 10:00 tarihinde\nşunu yazdı:\n> Yanıtlayın",
        "RL> Reply to join.",
        "| Reply to join.",
        "El vie, 3 may 2030 a las 10:00, Appeals (<appeals@lists.example.org>) escribió:\n> Responda",
        "Le ven. 3 mai 2030 à 10:00, Appeals <appeals@lists.example.org> a\nécrit :\n\n> Répondez",
        "Il giorno ven 3 mag 2030 alle ore 10:00 Appeals <\nappeals@lists.example.org> ha scritto:\n\n> Rispondi",
        "Em sex., 3 de mai. de 2030 às 10:00, Appeals <appeals@lists.example.org> escreveu:\n> Responda",
        "A 3/5/2030, Appeals <appeals@lists.example.org> escreveu:\nResponda, sem marcas.",
        "3 мая 2030 г., в 10:00, Appeals <appeals@lists.example.org> написал(а):\n> Ответьте",
        "03.05.2030 10:00, Appeals пишет:\n> Ответьте",
        "пт, 3 мая 2030 г. в 10:00, Appeals <appeals@lists.example.org>:\n> Ответьте",
        "في الجمعة، 3 مايو 2030 في 10:00 كتب Appeals <appeals@lists.example.org>:\n> أجب",
        "كتب \u200fAppeals <appeals@lists.example.org>\u200f:\n> أجب",
        "Appeals <appeals@lists.example.org> 于2030年5月3日周五 10:00写道：\n> 请回复",
        "在 2030年5月3日，10:00，Appeals <appeals@lists.example.org> 写道：\n\n请回复",
        "Appeals <appeals@lists.example.org> 於 2030年5月3日 週五 上午10:00寫道：\n> 請回覆",
        "-----Mensaje original-----\nResponda",
        "-----Message d'origine-----\nRépondez",
        "-----Messaggio originale-----\nRispondi",
        "-----Mensagem original-----\nResponda",
        "-----Исходное сообщение-----\nОтветьте",
        "-----الرسالة الأصلية-----\nأجب",
        "------------------ 原始邮件 ------------------\n请回复",
        "De: Appeals\nEnviado el: viernes\nResponda",
        "De : Appeals\nEnvoyé : vendredi\nRépondez",
        "Da: Appeals\nInviato: venerdì\nRispondi",
        "De: Appeals\nEnviada em: sexta\nResponda",
        "От: Appeals\nОтправлено: пятница\nОтветьте",
        "من: Appeals\nتم الإرسال: الجمعة\nأجب",
        "发件人: Appeals\n发送时间: 星期五\n请回复",
        "Gesendet: Freitag, 3. Mai 2030\nVon: Appeals\nAntworten",
        "De : Appeals\nÀ : Rosa\nEnvoyé le : vendredi\nRépondez",
        "---- On Fri, 03 May 2030 10:00:00 +0200 Appeals <appeals@lists.example.org> wrote ----\nReply",
        "Appeals <appeals@lists.example.org> şunları yazdı (3 May 2030 10:00):\n> Yanıtlayın",
        "*From:* Appeals\n*Sent:* Friday\nReply",
        *(
            f"{line}\n\n> Reply to join."
            for line in (
                "Sent from my iPhone",
                "Von meinem iPhone gesendet",
                "Gesendet mit der GMX Mail App",
                "iPhone'umdan gönderildi",
                "Enviado desde mi iPhone",
                "Envoyé de mon iPhone",
                "Inviato da iPhone",
                "Enviado do meu iPhone",
                "Отправлено с iPhone",
                "أُرسلت من الـ iPhone",
                "发自我的iPhone",
                "Get Outlook for iOS",
                "Outlook für Android",
            )
        ),
        "-----Original Message-----\nReply to join.",
        "-----Ursprüngliche Nachricht-----\nAntworten",
        "-----Özgün İleti-----\nYanıtlayın",
        "________________________________\nFrom: Appeals",
        "From: Appeals\nSent: Friday\nTo: Rosa\nReply to join.",
        "Von: Appeals\nGesendet: Freitag\nAntworten",
        "-- \nRosa Luxe, bean grower",
        "--\r\nRosa Luxe",
    ],
)
def test_quotes_and_signatures_are_not_the_authors_text(rest):
    assert own_words(f"I am coming.\r\nWith beans.\r\n\r\n{rest}\r\n") == "I am coming.\nWith beans."


def test_text_below_a_quote_is_the_authors():
    text = "On 3 May 2030, Appeals wrote:\r\n> Do you want to join?\r\n> Reply, please.\r\n\r\nNo, thank you.\r\n"

    assert own_words(text) == "No, thank you."


@pytest.mark.parametrize(
    "text",
    [
        "From: the heart\nI thank you",
        "On reflection I wrote:\nbeans",
        "a -- b",
        "____",
        "Sent from Rosa",
        "Le pain\nécrit:",
        "من: القلب",
        "a | b",
    ],
)
def test_text_that_only_looks_like_a_quote_is_kept(text):
    assert own_words(text) == text


def test_at_most_two_thousand_characters_are_kept():
    assert len(own_words("bean \r\n" * 10_000)) <= 2000


@pytest.mark.parametrize("between", ["\n\n", "\n", "\n----------\n\n"])
@pytest.mark.parametrize(
    "banner",
    [
        (
            "CAUTION: This email originated from outside of the\norganization. Do not click links or open attachments"
            " unless you recognize\nthe sender and know the content is safe."
        ),
        "This message was sent from outside the company.",
        "[EXTERNAL]",
        "*** EXTERNAL EMAIL ***",
        "EXTERNAL SENDER: be careful with links and attachments.",
        "You don't often get email from rosa@example.org. Learn why this is important",
        "ACHTUNG: Diese E-Mail kommt von extern. Klicken Sie nicht auf Links.",
        "Diese E-Mail wurde von außerhalb der Organisation gesendet. Öffnen Sie keine Anhänge.",
        "DİKKAT: Bu e-posta kurum dışından gelmiştir. Bağlantılara tıklamayınız.",
        "PRECAUCIÓN: Este correo proviene de fuera de la organización. No haga clic en enlaces.",
        "ATTENTION : Cet e-mail provient de l'extérieur de l'organisation. Ne cliquez pas sur les liens.",
        "ATTENZIONE: Questa email proviene dall'esterno dell'organizzazione. Non cliccare sui link.",
        "ATENÇÃO: Este e-mail foi enviado por um remetente externo. Não clique em links.",
        "ВНИМАНИЕ: Это письмо пришло извне организации. Не открывайте вложения.",
        "تنبيه: هذه الرسالة من خارج المؤسسة. لا تفتح الروابط.",
        "注意：此邮件来自外部发件人。请勿点击链接。",
    ],
)
def test_a_gateways_banner_is_removed(banner, between):
    text = f"{banner}{between}Please remove me from this list.\nRosa"
    rows = "".join(f"<tr><td>{line}</td></tr>" for line in banner.split("\n"))

    assert own_words(text) == "Please remove me from this list.\nRosa"
    assert own_words(f"<table>{rows}</table><p>Please remove me.</p>", "Content-Type: text/html; charset=utf-8") == (
        "Please remove me."
    )


@pytest.mark.parametrize(
    "text",
    [
        "Attention! I want to leave",
        "This mail is from outside the barn, I write it under a tree.",
        "Important: I come.",
    ],
)
def test_text_that_only_begins_like_a_banner_is_kept(text):
    assert own_words(text) == text


def is_blank(body: str, *fields: str) -> bool:
    head = ("From: rosa@example.org", "To: appeals-confirm+abc@lists.example.org", *fields)
    return parse_inbound_mail(ParsedMessage("\r\n".join((*head, "", body)).encode()), "rosa@example.org").is_blank


@pytest.mark.parametrize(
    "body",
    [
        *("", " \r\n\r\n", "Sent from my iPhone", "> quoted", "-- \r\nRosa\r\n\r\n> quoted"),
        "CAUTION: External email.\r\n\r\n> quoted",
        "On 3 May 2030, Appeals <appeals@lists.example.org> wrote:\r\nReply, unmarked",
        "-----Original Message-----\r\nFrom: Appeals <appeals@lists.example.org>\r\nReply",
        "Von: Appeals\r\nGesendet: Freitag\r\n\r\nAntworten: https://lists.example.org/confirm/abc",
    ],
)
def test_a_mail_with_nothing_but_a_quote_is_blank(body):
    assert is_blank(body)


@pytest.mark.parametrize(
    "body",
    [
        *("ok", "-- \r\nRosa", "CAUTION: External email.", "----- Ticket 4711 support@firm.example -----\r\nopened"),
        "--\r\nAutomatic reply to your mail to appeals@lists.example.org: away",
        "-----Original Message-----\r\nFrom: Helpdesk\r\nYour ticket",
        "From: Helpdesk\r\nDate: Friday\r\n\r\nYour ticket 4711",
    ],
)
def test_a_mail_whose_text_only_looks_like_a_quote_is_not_blank(body):
    assert not is_blank(body)


@pytest.mark.parametrize(("kind", "blank"), [("application/pdf", False), ("application/pgp-signature", True)])
def test_a_mail_with_an_attachment_is_not_blank_but_one_with_a_signature_is(kind, blank):
    text, file = "Content-Type: text/plain\r\n\r\n", f"Content-Type: {kind}\r\n\r\nfile"

    assert is_blank(f"--b\r\n{text}\r\n--b\r\n{file}\r\n--b--", "Content-Type: multipart/mixed; boundary=b") is blank


HTML = (
    "<html><head><title>t</title><style>p {}</style></head><body><p>No,<br>thank&nbsp;&uuml;\n you</p>{quote}"
    "<script>x()</script></body></html>"
)


@pytest.mark.parametrize(
    "quote",
    [
        "<blockquote><p>join<blockquote>x</blockquote></p>y</blockquote>",
        '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Appeals</div><div>join</div>',
        '<div id="x_divRplyFwdMsg">Von: Appeals</div><p>join</p>',
        '<blockquote type="cite">join</blockquote>',
        '<div class="gmail_quote gmail_quote_container"><div>On 3 May 2030, A wrote:</div><div>join</div><br></div>',
        "<div>On 3 May 2030, Appeals wrote:</div><blockquote>join</blockquote>",
    ],
)
def test_the_visible_text_of_html_is_read_without_its_quotes(quote):
    assert own_words(HTML.replace("{quote}", quote), "Content-Type: text/html") == "No,\nthank ü you"


def test_text_below_an_html_quote_is_the_authors():
    html = "<p>On 3 May 2030, Appeals wrote:</p><blockquote>join</blockquote><p>No.</p>"

    assert own_words(html, "Content-Type: text/html; charset=utf-8") == "No."


@pytest.mark.parametrize(
    ("field", "octets"),
    [
        ("quoted-printable", quopri.encodestring("hayır, teşekkürler".encode())),
        ("base64", base64.encodebytes("hayır, teşekkürler".encode())),
        ("BASE64", b"* \r\n" + base64.b64encode("hayır, teşekkürler".encode()).rstrip(b"=")),
        ("8bit", "hayır, teşekkürler".encode()),
    ],
)
def test_the_text_is_decoded(field, octets):
    assert own_words(octets, f"Content-Transfer-Encoding: {field}", 'content-type: text/plain; charset="UTF-8"') == (
        "hayır, teşekkürler"
    )


@pytest.mark.parametrize("charset", ["iso-8859-9", "windows-1254", "ISO-8859-9", "no-such", "punycode", "zlib", ""])
def test_an_unknown_charset_is_ignored(charset):
    words = own_words("hayır gül".encode("iso-8859-9"), f"Content-Type: text/plain; charset={charset}")

    assert words == ("hayır gül" if charset.lower() in {"iso-8859-9", "windows-1254"} else "hayýr gül")


def multipart(kind: str, *parts: str, boundary: str = "=_b") -> str:
    inner = "".join(f"\r\n--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\npreamble{inner}--{boundary}--\r\nepilogue'


PLAIN, PAGE = "Content-Type: text/plain\r\n\r\nplain words", "Content-Type: text/html\r\n\r\n<p>page words"
FILE = "Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nfile words"
MAIL = "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nmail words"
SEE_PAGE = "Content-Type: text/plain\r\n\r\nYour mail program cannot show HTML."
BLANK = "Content-Type: text/plain\r\n\r\n \r\n"


@pytest.mark.parametrize(
    ("mail", "words"),
    [
        (multipart("alternative", PLAIN, PAGE), "plain words"),
        (multipart("alternative", PAGE, PLAIN), "plain words"),
        (multipart("alternative", BLANK, PAGE), "page words"),
        (multipart("alternative", SEE_PAGE, PAGE), "page words"),
        (multipart("alternative", SEE_PAGE), "Your mail program cannot show HTML."),
        (multipart("mixed", FILE, MAIL, PAGE), "page words"),
        (multipart("mixed", multipart("alternative", PAGE, PLAIN, boundary="c"), FILE), "plain words"),
        (multipart("mixed", "\r\nbare words"), "bare words"),
        (multipart("mixed", FILE, MAIL), ""),
        (multipart("mixed", PLAIN).rpartition("--=_b--")[0], "plain words"),
        (multipart("mixed").replace("epilogue", PLAIN), ""),
        ("Content-Type: multipart/mixed\r\n\r\nno boundary", ""),
    ],
)
def test_the_first_plain_text_that_is_not_blank_is_read_or_else_the_html(mail, words):
    message = ParsedMessage(f"From: rosa@example.org\r\n{mail}".encode())

    assert parse_inbound_mail(message, "rosa@example.org").reply_text == words


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_mail_is_read_the_same_with_any_line_ends(end):
    mail = "From: rosa@example.org\r\n" + multipart("alternative", PLAIN + "\r\n> quoted\r\nmore", PAGE)

    assert parse_inbound_mail(ParsedMessage(mail.replace("\r\n", end).encode()), "").reply_text == "plain words\nmore"
