"""Forwarding: a person's mail, carried to an owner as an attachment of our own letter."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from mailer.domain.delivery import Delivery
from mailer.domain.language import choose_language
from mailer.domain.site import ListIdentity, Site
from mailer.mail.compose.templates import SOURCE_LANGUAGE, Templates
from mailer.mail.message.header_writer import format_field, format_phrase, format_text_field
from mailer.mail.message.letter import Letter
from mailer.mail.message.quoted_printable import encode_quoted_printable

_LONGEST_7BIT_LINE = 998
_BASE64_LINE_LENGTH = 76
_LONGEST_SUBJECT = 200
_CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_PLAIN_ADDRESS = re.compile(r"[!-~]{1,320}")


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverLetter:
    """What the letter around the original says."""

    from_name: str
    from_address: str
    to: str
    reply_to: str | None
    """The sender of the original, who gets the owner's answer."""
    subject: str
    message_id: str
    dated_at: datetime
    list_id: str | None
    intro: str


def compose_forward(
    delivery: Delivery,
    list_identity: ListIdentity | None,
    site: Site,
    templates: Templates,
    dated_at: datetime,
    original: bytes,
) -> Letter:
    """The letter that forwards `original` to an owner, in the owner's language; the same octets for the same input.

    `list_identity` is None if the mail goes to the owner of the service. `dated_at` is timezone-aware.
    """
    values = delivery.values
    language = choose_language([delivery.language], templates.languages) or SOURCE_LANGUAGE
    intro = templates.render("notices/forwarded.txt", language, recipient=values["recipient"], sender=values["sender"])
    cover = CoverLetter(
        from_name=list_identity.mailing_list.title if list_identity else site.name,
        from_address=list_identity.address() if list_identity else f"postmaster@{site.domain}",
        to=delivery.address,
        reply_to=values["sender"],
        subject=values["subject"] or values["recipient"],
        message_id=site.message_id(delivery.id),
        dated_at=dated_at,
        list_id=list_identity.list_id if list_identity else None,
        intro=intro.strip() + "\n",
    )
    content = attach_original(original, cover)
    return Letter(site.return_path(delivery.id), delivery.address, content)


def attach_original(raw: bytes, cover: CoverLetter) -> bytes:
    """The octets of the forwarding letter, ASCII with CRLF line ends.

    The original is attached as message/rfc822 if it is 7bit, as RFC 2046 section 5.2.1 asks; else as
    application/octet-stream in base64.
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
