"""A person's mail, carried to a list's owner: a letter of ours with the original attached as it came."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from mailer.mail.message.header_writer import format_field, format_phrase, format_text_field
from mailer.mail.message.quoted_printable import encode_quoted_printable

_LONGEST_7BIT_LINE = 998
_BASE64_LINE_LENGTH = 76
_LONGEST_SUBJECT = 200
_CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_PLAIN_ADDRESS = re.compile(r"[!-~]{1,320}")


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverLetter:
    """What our letter around the original says."""

    from_name: str
    from_address: str
    to: str
    reply_to: str | None
    """Who wrote, so that an answer goes to them."""
    subject: str
    message_id: str
    dated_at: datetime
    list_id: str | None
    intro: str


def attach_original(raw: bytes, cover: CoverLetter) -> bytes:
    """The letter's octets: ASCII, CRLF; the original as message/rfc822 where it can travel so.

    RFC 2046 section 5.2.1 lets a message/rfc822 be 7bit or nothing; one that is not goes as octets in base64.
    """
    boundary = f"=_{cover.message_id.strip('<>').partition('@')[0]}"
    fields = [
        format_field("From", [*format_phrase(cover.from_name), f"<{cover.from_address}>"]),
        format_field("To", [cover.to]),
        format_text_field("Subject", _CONTROL_CHARACTERS.sub(" ", cover.subject)[:_LONGEST_SUBJECT]),
        format_field("Date", [format_datetime(cover.dated_at)]),
        format_field("Message-ID", [cover.message_id]),
        format_field("Auto-Submitted", ["auto-generated"]),
        format_field("X-Auto-Response-Suppress", ["All"]),
        format_field("MIME-Version", ["1.0"]),
        format_field("Content-Type", ["multipart/mixed;", f'boundary="{boundary}"']),
    ]
    if cover.reply_to and _PLAIN_ADDRESS.fullmatch(cover.reply_to):
        fields.append(format_field("Reply-To", [cover.reply_to]))
    if cover.list_id:
        fields.append(format_field("List-Id", [f"<{cover.list_id}>"]))
    line = f"--{boundary}\r\n".encode()
    intro = encode_quoted_printable(cover.intro.replace("\r\n", "\n"))
    text = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + intro
    return b"".join(
        [*fields, b"\r\n", line, text, b"\r\n", line, _attachment_part(raw, line[:-2]), line[:-2], b"--\r\n"]
    )


def _attachment_part(raw: bytes, delimiter: bytes) -> bytes:
    if delimiter not in raw and _is_7bit(raw):
        head = b'Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename="original.eml"\r\n\r\n'
        return head + raw + b"\r\n"
    encoded = base64.b64encode(raw).decode()
    lines = [encoded[at : at + _BASE64_LINE_LENGTH] for at in range(0, len(encoded), _BASE64_LINE_LENGTH)]
    head = (
        b'Content-Type: application/octet-stream; name="original.eml"\r\n'
        b'Content-Disposition: attachment; filename="original.eml"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    return head + "\r\n".join(lines).encode() + b"\r\n"


def _is_7bit(raw: bytes) -> bool:
    """Whether it is 7bit (RFC 2045 section 2.7): ASCII without NUL, CRLF line ends, no line too long."""
    return (
        raw.isascii()
        and b"\0" not in raw
        and raw.count(b"\r\n") == raw.count(b"\r") == raw.count(b"\n")
        and max(map(len, raw.split(b"\r\n"))) <= _LONGEST_7BIT_LINE
    )
