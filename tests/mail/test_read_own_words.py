"""A person's own first words are told from quotes, signatures and markup."""

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.declining import declines
from mailer.mail.read import read_mail


def own_words(body: str | bytes, *fields: str) -> str:
    octets = body if isinstance(body, bytes) else body.encode()
    head = "\r\n".join(("From: rosa@example.org", *fields)).encode()
    return read_mail(head + b"\r\n\r\n" + octets, "rosa@example.org").own_words


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
def test_what_was_quoted_or_signed_is_not_the_persons_own(rest):
    assert own_words(f"I am coming.\r\nWith beans.\r\n\r\n{rest}\r\n") == "I am coming.\nWith beans."


def test_an_answer_under_the_quote_is_the_persons_own():
    text = "On 3 May 2030, Appeals wrote:\r\n> Do you want to join?\r\n> Reply, please.\r\n\r\nNo, thank you.\r\n"

    assert own_words(text) == "No, thank you."


@pytest.mark.parametrize("text", ["From: the heart\nI thank you", "On reflection I wrote:\nbeans", "a -- b", "____"])
def test_words_that_only_look_like_a_quote_are_kept(text):
    assert own_words(text) == text


def test_at_most_two_thousand_characters_are_kept():
    assert len(own_words("bean \r\n" * 10_000)) <= 2000


HTML = (
    "<html><head><title>t</title><style>p {}</style></head><body><p>No,<br>thank&nbsp;&uuml;\n you</p>{quote}"
    "<script>x()</script></body></html>"
)


@pytest.mark.parametrize(
    "quote",
    [
        "<blockquote><p>join<blockquote>x</blockquote></p>y</blockquote>",
        '<div class="gmail_quote"><div>On 3 May 2030, Appeals wrote:</div><div>join</div><br></div>',
        "<div>On 3 May 2030, Appeals wrote:</div><blockquote>join</blockquote>",
    ],
)
def test_an_html_mail_is_read_as_shown_without_its_quotes(quote):
    assert own_words(HTML.replace("{quote}", quote), "Content-Type: text/html") == "No,\nthank ü you"


def test_an_answer_under_an_html_quote_is_the_persons_own():
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
def test_a_charset_is_believed_only_where_it_is_one(charset):
    words = own_words("hayır gül".encode("iso-8859-9"), f"Content-Type: text/plain; charset={charset}")

    assert words == ("hayır gül" if charset.lower() in {"iso-8859-9", "windows-1254"} else "hayýr gül")


def multipart(kind: str, *parts: str, boundary: str = "=_b") -> str:
    inner = "".join(f"\r\n--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\npreamble{inner}--{boundary}--\r\nepilogue'


PLAIN, PAGE = "Content-Type: text/plain\r\n\r\nplain words", "Content-Type: text/html\r\n\r\n<p>page words"
FILE = "Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nfile words"
MAIL = "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nmail words"
BLANK = "Content-Type: text/plain\r\n\r\n \r\n"


@pytest.mark.parametrize(
    ("mail", "words"),
    [
        (multipart("alternative", PLAIN, PAGE), "plain words"),
        (multipart("alternative", PAGE, PLAIN), "plain words"),
        (multipart("alternative", BLANK, PAGE), "page words"),
        (multipart("mixed", FILE, MAIL, PAGE), "page words"),
        (multipart("mixed", multipart("alternative", PAGE, PLAIN, boundary="c"), FILE), "plain words"),
        (multipart("mixed", "\r\nbare words"), "bare words"),
        (multipart("mixed", FILE, MAIL), ""),
        (multipart("mixed", PLAIN).rpartition("--=_b--")[0], "plain words"),
        (multipart("mixed").replace("epilogue", PLAIN), ""),
        ("Content-Type: multipart/mixed\r\n\r\nno boundary", ""),
    ],
)
def test_the_first_plain_text_that_is_not_blank_is_read_else_the_page(mail, words):
    assert read_mail(f"From: rosa@example.org\r\n{mail}".encode(), "rosa@example.org").own_words == words


@pytest.mark.parametrize(
    "words",
    [
        *("no", "No.", "NO!", "No thanks", "no, yes was wrong", "nope", "stop", "Stop it", "unsubscribe", "Not me!"),
        *("That was not me.", "This wasn't me", "It wasn’t me", "please unsubscribe me", "“No”", "Please stop"),
        *("nein", "Nein danke", "Stopp!", "bitte abmelden", "Das war ich nicht.", "nicht ich", "Ich war das nicht"),
        *("hayır", "HAYIR", "Hayir", "dur", "ben değil", "BEN DEĞİL", "ben degil", "İSTEMİYORUM", "İptal"),
        *("Abone olmak istemiyorum", "abonelikten çık", "Lütfen iptal edin", "ABONELİKTEN ÇIK"),
        *(
            "Hello,\n\nno thanks",
            "Hi there, no",
            "Hello no",
            "Merhaba, hayır",
            "Hallo zusammen!\nnein",
            "Dear all:\nstop",
        ),
        *("Sayın yetkili,\n\nben değilim", "Guten Tag,\ndas war ich nicht"),
    ],
)
def test_these_words_decline(words):
    assert declines(words)


@pytest.mark.parametrize(
    "words",
    [
        *("", "yes", "now", "notes from me", "nothing to add: yes", "no-one told me", "No one else is coming, I am"),
        *("No problem, yes", "nobody", "norge", "stopwatch", "nothing", "not metered", "Yes! Do not stop"),
        *("Yes, it was me, not my brother", "Hello,\n\nyes please", "Hi Norma,\nyes", "Hi there, now"),
        *("ja", "Ja, nein wäre schade", "Neiné", "evet", "durum nedir", "hayırlı olsun", "Merhaba, evet"),
        *("I am coming.\nno", "ok\n\nstop"),
    ],
)
def test_these_words_do_not_decline(words):
    assert not declines(words)


def test_words_that_decline_only_in_the_quote_do_not_decline():
    assert not declines(own_words("> no\r\n> unsubscribe\r\n\r\n-- \r\nno"))


@given(st.text(max_size=100))
def test_any_words_can_be_judged(words):
    assert declines(words) in {True, False}
