"""A letter ready for the relay: its envelope and its octets."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy


@dataclass(frozen=True, slots=True)
class Letter:
    """One message and its envelope (RFC 5321 section 2.3.1).

    Letters that we write are ready for SMTP: ASCII, every line including the last ends in CRLF, none begins with a dot,
    and none is longer than 998 octets (RFC 5321 section 4.5.3.1.6). Only the final dot has to be sent after them. A
    person's mail that we forward may have lines that begin with a dot.
    """

    return_path: str
    recipient: str
    content: bytes
    """Header and body: CRLF line ends, ASCII, before dot-stuffing."""
    is_wire_ready: bool = False
    """Whether it is ready for SMTP; otherwise each octet is checked when it is sent."""


def preview_letter(letter: Letter) -> dict[str, str]:
    """The letter for a preview, by name: recipient, subject, text, html, and eml (the source)."""
    subject = message_from_bytes(letter.content, policy=policy.default)["Subject"]
    parts = {part: decode_part(letter, part) for part in ("text", "html")}
    return {"recipient": letter.recipient, "subject": str(subject), **parts, "eml": letter.content.decode()}


def decode_part(letter: Letter, part: str) -> str:
    """The decoded "text" or "html" part of a letter; "" if it has none."""
    message = message_from_bytes(letter.content, policy=policy.default)
    body = message.get_body(("plain",) if part == "text" else ("html",))
    return str(body.get_content()) if body is not None else ""
