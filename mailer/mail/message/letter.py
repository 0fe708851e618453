"""A letter ready for the relay: its envelope and its octets."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy


@dataclass(frozen=True, slots=True)
class Letter:
    """One message and its envelope (RFC 5321 section 2.3.1).

    What `personalise` and `compose_notice` write is ready for the wire: ASCII, every line ends in CRLF, also the
    last one, none begins with a dot and none is longer than 998 octets (RFC 5321 section 4.5.3.1.6), so that a
    relay's line needs only the lone dot after it. A person's mail that we carry may begin lines with dots.
    """

    return_path: str
    recipient: str
    content: bytes
    """Header and body, CRLF line ends, ASCII; where a line begins with a dot, it is not yet stuffed."""
    is_wire_ready: bool = False
    """Whether it was written so that it is ready for the wire; if not, the wire looks at every octet first."""


def preview_letter(letter: Letter) -> dict[str, str]:
    """What a reader and a mail program see of it, by name: recipient, subject, text, html, and eml (the source)."""
    subject = message_from_bytes(letter.content, policy=policy.default)["Subject"]
    parts = {part: decode_part(letter, part) for part in ("text", "html")}
    return {"recipient": letter.recipient, "subject": str(subject), **parts, "eml": letter.content.decode()}


def decode_part(letter: Letter, part: str) -> str:
    """What a reader sees: the "text" or "html" of a letter, decoded."""
    message = message_from_bytes(letter.content, policy=policy.default)
    body = message.get_body(("plain",) if part == "text" else ("html",))
    return str(body.get_content()) if body is not None else ""
