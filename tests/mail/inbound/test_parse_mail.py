"""Reading the sender of a mail, the marks of automatic mail, and the small fields."""

from __future__ import annotations

import pytest

from mailer.mail.inbound.parse_mail import InboundMail, parse_inbound_mail
from mailer.mail.message.parsed_message import ParsedMessage

ROSA = "rosa@example.org"


def parse(*fields: str, body: str | bytes = "I am coming.", envelope: str = ROSA) -> InboundMail:
    octets = body if isinstance(body, bytes) else body.encode()
    head = "\r\n".join(fields or ("From: Rosa <rosa@example.org>",)).encode()
    return parse_inbound_mail(ParsedMessage(head + b"\r\n\r\n" + octets), envelope)


@pytest.mark.parametrize(
    ("field", "name", "address"),
    [
        ("From: rosa@example.org", None, ROSA),
        ("From: Rosa Luxe <rosa@example.org>", "Rosa Luxe", ROSA),
        ('From: "Luxe, Rosa \\"R\\"" <rosa@example.org>', 'Luxe, Rosa "R"', ROSA),
        ("from:rosa@example.org (Rosa)", None, ROSA),
        ("From: Rosa\r\n <rosa@example.org>, Emma <emma@example.org>", "Rosa", ROSA),
        ("From: =?utf-8?q?G=C3=BCl?= =?utf-8?b?w6dl?= <rosa@example.org>", "Gülçe", ROSA),
        ("From: =?iso-8859-9?q?I=FE=FDk?= <rosa@example.org>", "Işık", ROSA),
        ("From: =?utf-8?q?Luxe=2C_Emma_=3Cemma=40example=2Eorg=3E?= <rosa@example.org>", "Luxe, Emma <emma@", ROSA),
        ("From: =?no-such?q?Rosa?= =?utf-8?b?*?= <rosa@example.org>", "Rosa", ROSA),
        ("From: =?utf-8?q?Rosa=0D=0ABcc=3A_x=00=E2=80=AE?= <rosa@example.org>", "Rosa Bcc: x", ROSA),
        (f"From: {'R' * 300} <rosa@example.org>", "R" * 100, ROSA),
    ],
)
def test_the_sender_is_the_first_address_in_from_with_its_name(field, name, address):
    mail = parse(field, envelope="emma@example.net")

    assert mail.sender is not None
    assert mail.sender.addr_spec == address
    assert mail.sender_name == name or (name and mail.sender_name.startswith(name))


@pytest.mark.parametrize("field", ["From: Rosa", "From: Mallory <not an address>", "From:", "Subject: hi", "From: <@>"])
def test_without_an_address_in_from_the_sender_is_the_envelope_sender(field):
    mail = parse(field, envelope=ROSA)

    assert (mail.sender.addr_spec if mail.sender else None, mail.sender_name) == (ROSA, None)


def test_without_any_address_there_is_no_sender():
    assert parse("From: Rosa", envelope="").sender is None


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("Auto-Submitted: auto-replied", "auto-replied"),
        ("auto-submitted: (a program) Auto-Generated; owner=x", "auto-generated"),
        ("Auto-Submitted: a\x00 b", "a b"),
        ("Precedence: Bulk", "bulk"),
        ("Precedence: junk", "junk"),
        ("X-Precedence: auto_reply", "auto_reply"),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=b", "report"),
        ("Content-Type: message/disposition-notification", "report"),
        ("X-Autorespond: gone fishing", "x-autorespond"),
        ("X-Autoreply: yes", "x-autoreply"),
        ("X-Failed-Recipients: rosa@example.org", "x-failed"),
        ("From: Mail Delivery <MAILER-DAEMON@example.org>", "daemon"),
        ("From: Shop <do-not-reply+7@example.org>", "daemon"),
        ("From: donotreply@example.org", "daemon"),
    ],
)
def test_automatic_mail_is_recognised_by_its_fields(field, why):
    assert why in (parse(field).automatic_mark or "")


@pytest.mark.parametrize("envelope", ["", "<>", "MAILER-DAEMON@example.org"])
def test_automatic_mail_is_recognised_by_its_envelope(envelope):
    assert parse(envelope=envelope).automatic_mark


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("Precedence: list", "list"),
        ("List-Id: <other.example.org>", "list-id"),
        ("List-Unsubscribe: <mailto:x@example.org>", "list-unsubscribe"),
        ("X-Loop: rosa@example.org", "x-loop"),
        ("X-BeenThere: team@example.org", "x-beenthere"),
        ("From: <postmaster@example.org>", "mail system"),
        ("Content-Type: text/calendar; method=REPLY", "calendar"),
        *(
            (f"Subject: {subject}", "subject")
            for subject in (
                "Automatic reply: harvest",
                "Out of Office",
                "Out of office furniture for the hall",
                "ABWESENHEITSNOTIZ",
                "Abwesenheit am Samstag",
                "=?utf-8?q?OTOMAT=C4=B0K_YANIT?=",
                "Auto: gone fishing",
                "Auto: who drives?",
                "Rosa is out of the office",
                "Automatische Antwort: Ernte",
                "Ofis dışındayım",
                "Respuesta automática: cosecha",
                "Fuera de la oficina",
                "Réponse automatique : récolte",
                "Risposta automatica: raccolto",
                "Fuori sede",
                "Resposta automática: colheita",
                "Автоматический ответ: урожай",
                "Автоответ",
                "رد تلقائي: الحصاد",
                "自动回复：收获",
                "自動回覆: 收穫",
            )
        ),
    ],
)
def test_some_fields_are_ambiguous_marks(field, why):
    mail = parse(field)

    assert mail.automatic_mark is None
    assert why in (mail.ambiguous_mark or "")


@pytest.mark.parametrize("envelope", ["team-bounces+rosa=example.org@example.net", "owner-team@example.net"])
def test_an_envelope_sender_of_a_list_is_an_ambiguous_mark(envelope):
    assert parse(envelope=envelope).ambiguous_mark


@pytest.mark.parametrize(
    "field",
    [
        "Auto-Submitted: no",
        "Auto-Submitted: NO (I write myself)",
        "Auto-Submitted: no\r\nSubject: Out of office furniture",
        "Precedence: first-class",
        "Precedence: normal",
        "Subject: Automatic doors",
        "Subject: Vacation plans",
        "Subject: Re: Automatic reply: harvest",
        "X-Auto-Response-Suppress: All",
        "X-Autoreply: no",
        "Feedback-ID: i1234abcd:Fastmail",
        "Return-Receipt-To: rosa@example.org",
        "From: Postmaster Bob <bob@example.org>",
    ],
)
def test_a_persons_mail_has_no_mark(field):
    mail = parse("From: rosa@example.org", field)

    assert (mail.automatic_mark, mail.ambiguous_mark) == (None, None)


@pytest.mark.parametrize(
    ("envelope", "is_author"),
    [
        (ROSA, True),
        ("Rosa@Example.ORG", True),
        ("prvs=1234abcdef=rosa@example.org", True),
        ("bounces@example.net", False),
        ("", False),
    ],
)
def test_the_envelope_shows_whether_the_author_sent_it(envelope, is_author):
    assert parse(envelope=envelope).is_sent_by_author is is_author


def test_recipients_and_references_are_read():
    mail = parse(
        "To: =?utf-8?q?List?= <Appeals-Join@lists.example.org>, ada@example.org",
        "Cc: emma@example.org",
        "In-Reply-To: <a@example.org> (of Monday)",
        "References: <b@example.org>\r\n\t<a@example.org>",
    )

    assert mail.header_recipients == {"appeals-join@lists.example.org", "ada@example.org", "emma@example.org"}
    assert mail.references == {"<a@example.org>", "<b@example.org>"}


def test_message_id_and_language_are_read():
    mail = parse(
        "Subject: =?utf-8?b?SGFzYXQ=?=\r\n\tson", "Message-ID: <a.b@example.org>", "Content-Language: *, tr_TR, en"
    )

    assert (mail.subject, mail.message_id, mail.language) == ("Hasat son", "<a.b@example.org>", "tr-tr")


@pytest.mark.parametrize(
    "field", ["Message-ID: none", "Message-ID: <a b@example.org>", "Message-ID: <a@b\x00>", "X: y"]
)
def test_a_malformed_message_id_is_none(field):
    assert parse(field).message_id is None


@pytest.mark.parametrize(
    ("field", "is_reply"),
    [
        ("In-Reply-To: <a@example.org>", True),
        ("References: <a@example.org>", True),
        ("Subject: AW: harvest", True),
        ("Subject: RE[2]: harvest", True),
        ("Subject: Rép : récolte", True),
        ("Subject: 回复：收获", True),
        ("Subject: [Open Appeals] Ynt: hasat", True),
        ("Subject: [Open Appeals] harvest", False),
        ("Subject: Rest: at noon", False),
    ],
)
def test_a_reply_is_recognised_by_its_fields_or_its_subject(field, is_reply):
    assert parse(field).is_reply is is_reply


def test_an_encoded_character_may_be_split_over_two_words():
    assert parse("Subject: =?utf-8?b?R8M=?= =?utf-8?b?vGw=?=").subject == "Gül"


def test_header_fields_in_plain_utf_8_or_latin_1_are_read():
    assert parse_inbound_mail(ParsedMessage("Subject: Gül\r\n\r\n".encode()), ROSA).subject == "Gül"
    assert parse_inbound_mail(ParsedMessage("Subject: Gül\r\n\r\n".encode("latin-1")), ROSA).subject == "Gül"
