"""Reading a mail that came in: who wrote it, whether a robot did, and what its own first words are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses

from mailer.domain.address import Address, parse_address
from mailer.domain.command_address import Command, spelled_command
from mailer.domain.language import parse_language
from mailer.errors import AddressRefused
from mailer.mail.own_words import own_words
from mailer.mail.robot import why_robot

_HEADER_OCTETS = 256 * 1024
_LONGEST_NAME = 100
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,200}@[!-;=?A-~]{1,200}>")
_REPLY_PREFIX = re.compile(r"^\s*(?:(?:re|aw|ynt|fwd?|sv)\s*:\s*)+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What a mail says, as far as the service needs it."""

    sender: Address | None
    """Who wrote: From, else the envelope sender; None where neither is an address."""
    sender_name: str | None
    robot: str | None
    """Why it was written by a robot, or None for a person."""
    subject: str
    message_id: str | None
    language: str | None
    """The first tag of Content-Language."""
    own_words: str
    """The person's own first text, without quotes and signatures."""


def read_mail(raw: bytes, envelope_sender: str) -> Heard:
    """What the octets of a mail say; never fails, whatever they are."""
    header = BytesHeaderParser().parsebytes(_header_of(raw))
    name, address = _sender(header, envelope_sender)
    identity = _MESSAGE_ID.fullmatch(_decoded(header, "Message-ID"))
    return Heard(
        sender=address,
        sender_name=name,
        robot=why_robot(header, envelope_sender, _decoded(header, "Subject")),
        subject=_decoded(header, "Subject"),
        message_id=identity[0] if identity else None,
        language=parse_language(_decoded(header, "Content-Language").partition(",")[0]),
        own_words=own_words(raw),
    )


def asked_command(heard: Heard) -> tuple[Command, str | None] | None:
    """The command (and language) written to `LIST-request@`: in the subject, else in a first line of the text."""
    lines = [_REPLY_PREFIX.sub("", heard.subject), *heard.own_words.splitlines()[:5]]
    for line in lines:
        words = [word.strip(".,;:!\"'<>()") for word in line.split()[:2]]
        if words and (command := spelled_command(words[0])) is not None:
            tag = parse_language(words[1]) if len(words) > 1 and len(words[1]) <= 6 else None
            return command, tag
    return None


def _header_of(raw: bytes) -> bytes:
    ends = [at for blank in (b"\r\n\r\n", b"\n\n") if (at := raw.find(blank, 0, _HEADER_OCTETS)) >= 0]
    return raw[: min(ends, default=_HEADER_OCTETS)]


def _sender(header: Message, envelope_sender: str) -> tuple[str | None, Address | None]:
    try:
        found = getaddresses([_decoded(header, "From")[:2000]])
    except (ValueError, IndexError, AttributeError):  # the standard library's parser, on garbage
        found = []
    for name, address in [*found[:1], ("", envelope_sender)]:
        try:
            return _clean(name)[:_LONGEST_NAME] or None, parse_address(address)
        except AddressRefused:
            continue
    return None, None


def _decoded(header: Message, name: str) -> str:
    value = header.get(name)
    if value is None:
        return ""
    try:
        text = str(make_header(decode_header(str(value))))
    except (HeaderParseError, LookupError, ValueError):
        text = str(value)
    return _clean(text)


def _clean(text: str) -> str:
    return _CONTROLS.sub(" ", text).strip()
