"""Forwarding a person's mail to an owner: the attachment and the header."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.compose.forward import CoverLetter, attach_original

COVER = CoverLetter(
    from_name="Open Appeals",
    from_address="appeals@lists.example.org",
    to="ada@example.org",
    reply_to="rosa@example.org",
    subject="Can I bring beans?",
    message_id="<0123456789abcdef@lists.example.org>",
    dated_at=datetime(2030, 5, 3, 9, 0, tzinfo=UTC),
    list_id="appeals.lists.example.org",
    intro="Rosa wrote to appeals@lists.example.org.\nBahçeye hoş geldiniz.\n",
)
ORIGINAL = b"From: Rosa <rosa@example.org>\r\nSubject: Can I bring beans?\r\n\r\nA whole row of them.\r\n"
OURS = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
    *("MIME-Version", "Content-Type", "Reply-To", "List-Id"),
]


def read(octets: bytes) -> EmailMessage:
    message = message_from_bytes(octets, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def original_in(octets: bytes) -> bytes:
    """The octets of the part after the intro, as any mail program would save them."""
    _, part = message_from_bytes(octets, policy=policy.SMTP).iter_parts()
    if part.get_content_type() == "application/octet-stream":
        return part.get_payload(decode=True)
    assert part.get_content_type() == "message/rfc822"
    boundary = read(octets).get_boundary().encode()
    return octets.split(b"\r\n--" + boundary)[2].partition(b"\r\n\r\n")[2]


def test_the_owner_gets_an_intro_and_answers_the_sender():
    letter = read(attach_original(ORIGINAL, COVER))

    intro, attached = letter.iter_parts()

    assert letter["From"] == "Open Appeals <appeals@lists.example.org>"
    assert (letter["To"], letter["Reply-To"]) == ("ada@example.org", "rosa@example.org")
    assert letter["Date"].datetime == COVER.dated_at
    assert letter["Auto-Submitted"] == "auto-generated"
    assert intro.get_content().replace("\r\n", "\n") == COVER.intro
    assert attached.get_content()["Subject"] == "Can I bring beans?"


def test_a_7bit_mail_is_attached_unchanged_as_message_rfc822():
    octets = attach_original(ORIGINAL, COVER)

    assert ORIGINAL in octets
    assert b"message/rfc822" in octets


@pytest.mark.parametrize(
    "original",
    [
        ORIGINAL.replace(b"\r\n", b"\n"),
        ORIGINAL + b"bare \r return\r\n",
        ORIGINAL + "gül\r\n".encode(),
        ORIGINAL + b"\x00\r\n",
        ORIGINAL + b"x" * 999 + b"\r\n",
        ORIGINAL + b"--=_0123456789abcdef--\r\n",
    ],
)
def test_any_other_mail_is_attached_as_base64(original):
    octets = attach_original(original, COVER)

    _, part = read(octets).iter_parts()

    assert part.get_content_type() == "application/octet-stream"
    assert part.get_filename() == "original.eml"
    assert part.get_payload(decode=True) == original


def test_a_line_of_998_octets_is_still_7bit():
    assert b"message/rfc822" in attach_original(ORIGINAL + b"x" * 998 + b"\r\n", COVER)


def test_the_same_mail_is_forwarded_in_the_same_octets_at_every_attempt():
    assert attach_original(ORIGINAL, COVER) == attach_original(ORIGINAL, replace(COVER))


def test_a_mail_without_a_sender_is_forwarded_without_reply_to():
    assert "Reply-To" not in read(attach_original(ORIGINAL, replace(COVER, reply_to=None)))


anything = st.text(st.characters(), max_size=120) | st.text("\r\n\x00\x85\u2028\ud800:;<>@=?,. abcBü", max_size=60)


@given(subject=anything, reply_to=anything, original=st.binary(max_size=400))
def test_no_text_of_the_sender_can_add_header_fields_or_break_the_structure(subject, reply_to, original):
    octets = attach_original(original, replace(COVER, subject=subject, reply_to=reply_to))

    header, _, _ = octets.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].decode() for line in header.split(b"\r\n") if not line.startswith(b" ")]
    assert [name for name in names if name != "Reply-To"] == [name for name in OURS if name != "Reply-To"]
    assert octets.isascii()
    assert b"\x00" not in octets
    assert octets.count(b"\r\n") == octets.count(b"\r") == octets.count(b"\n")
    assert max(map(len, octets.split(b"\r\n"))) <= 998


@given(st.binary(max_size=400) | st.text("From: rosa\r\n-=_", max_size=80).map(str.encode))
def test_the_original_is_attached_whole(original):
    assert original_in(attach_original(original, COVER)) == original
