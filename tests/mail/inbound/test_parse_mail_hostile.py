"""Parsing a mail neither fails nor takes long, whatever its octets are."""

from __future__ import annotations

import base64
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.actions.inbound.explain_mail import explain_mail
from mailer.mail.inbound.command_words import load_vocabulary
from mailer.mail.inbound.parse_mail import InboundMail, parse_inbound_mail
from mailer.mail.message.parsed_message import ParsedMessage

ROOT = Path(__file__).parents[3]
VOCABULARY = load_vocabulary(ROOT / "mailer" / "locale")
PLENTY = 3 * 2**20
"""Octets: three times what is read."""
SOUND = (
    b"From: =?utf-8?q?R=C3=B6sa?= <rosa@example.org>\r\nTo: ada@example.org\r\nMessage-ID: <a@example.org>\r\n"
    b'Subject: Re: =?utf-8?b?SGk=?=\r\nContent-Language: tr\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nTm8=\r\n"
    b"--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>N=6F</p>\r\n"
    b"--b--\r\n"
)
SCRAPS = [
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\x00",
        b"--b",
        b"--b--",
        b"=?",
        b"?=",
        b"<",
        b">",
        b'"',
        b"\\",
        b"(",
        b";",
        b"=",
        b"\xff",
    ),
    *(
        b"<![x[",
        b"<!--",
        b"<blockquote>",
        b"&#x110000;",
        b"charset=utf-16",
        b"boundary=",
        b"base64",
        b"On 1 ",
        b" wrote:",
    ),
    *(
        "ı".encode(),
        "yazdı:".encode(),
        b"From: ",
        b"Sent: ",
        b"-- \r\n",
        b"=?utf-16?b?2A==?=",
        b"Content-Type: text/html\r\n",
    ),
]


def is_clean(mail: InboundMail) -> bool:
    """Whether the ledger and the pages can take it: no NUL, no half characters, no line ends in the small fields."""
    texts = (
        mail.subject,
        mail.sender_name or "",
        mail.message_id or "",
        mail.language or "",
        mail.automatic_mark or "",
        mail.ambiguous_mark or "",
    )
    "".join((*texts, mail.reply_text)).encode()
    return not {"\n", "\r", "\x00"} & set("".join(texts)) and not {"\r", "\x00"} & set(mail.reply_text)


@given(st.binary(max_size=500) | st.lists(st.sampled_from(SCRAPS), max_size=40).map(b"".join), st.text(max_size=40))
def test_any_octets_are_parsed(raw, envelope_sender):
    mail = parse_inbound_mail(ParsedMessage(raw), envelope_sender)

    explain_mail(raw, VOCABULARY)
    assert is_clean(mail)


@given(st.lists(st.tuples(st.integers(0, len(SOUND)), st.sampled_from(SCRAPS)), max_size=8))
def test_a_damaged_mail_is_parsed(strewn):
    raw = SOUND
    for place, scrap in strewn:
        raw = raw[:place] + scrap + raw[place:]

    assert is_clean(parse_inbound_mail(ParsedMessage(raw), "rosa@example.org"))


def nested(depth: int) -> bytes:
    levels = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    return b"".join((*levels, b"Content-Type: text/plain\r\n\r\nNo\r\n"))


HTML = b"Content-Type: text/html\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        nested(1000),
        nested(19) + b"bean\r\n" * (PLENTY // 6),
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * (PLENTY // 5),
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n\r\n" * (PLENTY // 9),
        nested(60) + b"--b59\r\nA: b\r\n" * (PLENTY // 15),
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        + b"Action: failed\r\nFinal-Recipient: rfc822; a@example.org\r\n\r\n" * (PLENTY // 70),
        b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"stop " * (PLENTY // 5)),
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=3D=\r\n" * (PLENTY // 6),
        b"".join(b"X-%d: y\r\n" % number for number in range(1_000_000)),
        b"X-Header: y\r\n" * (2**20 // 13) + b"\r\nstop\r\n",
        b"Subject: " + b"please " * 280 + b"\r\n\r\n" + b"please " * (PLENTY // 7),
        b"Subject: x\r\n\r\n" + b"10:00 a@b.c d:\r\n" * (PLENTY // 16),
        b"To: " + b"a-confirm@b.c, " * 130 + b"\r\n\r\n" + "不要再 ".encode() * 100_000,
        b"X-Long: " + b"x" * PLENTY,
        b"X-Folded: x\r\n" + b" \r\n" * (PLENTY // 3),
        b"From: " + b"(" * PLENTY,
        b"From: " + b'"<' * 1000 + b"\r\n\r\n",
        b"Subject: " + b"=?utf-8?q?" * 200 + b"\r\n\r\n",
        b"Content-Type: text/plain" + b"; " * 900 + b"\r\n\r\nhi",
        b"Subject: x\r\n\r\n" + b"tarihinde schrieb am 1 wrote " * (PLENTY // 29),
        b"Subject: x\r\n\r\n" + b"On 1 wrote:\r\n" * (PLENTY // 13),
        b"\r" * PLENTY,
        b"\x00" * PLENTY,
        *(HTML + scrap * (PLENTY // len(scrap)) for scrap in (b"<", b"<!--", b"<a b='", b"&#", b"<div>", b"<a b=c ")),
    ],
    ids=lambda raw: repr(raw[:40]),
)
def test_a_hostile_mail_is_parsed_quickly(raw):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime

    mail = parse_inbound_mail(ParsedMessage(raw), "mallory@example.net")
    explain_mail(raw, VOCABULARY)

    assert is_clean(mail)
    # Seconds of this process's own work, with room for a slow machine; what is not bounded takes minutes.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 10
