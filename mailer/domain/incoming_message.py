"""A mail as it arrives at a door of ours, before anything in it is believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MAX_INLINE_OCTETS = 64 * 1024
"""Octets of a mail that stand in its row; a longer one is a file in the spool."""

NO_MESSAGE_ID = "~"


@dataclass(frozen=True, kw_only=True, slots=True)
class IncomingMessage:
    """One mail, and who handed it in."""

    sender: str
    """Envelope sender; "" for the null one."""
    recipients: tuple[str, ...]
    """Addresses of ours, each once."""
    raw: bytes = b""
    """Its octets; empty where they are in the spool."""
    spool_name: str | None = None
    """The name of its file in the spool, written and synced already."""
    digest: str | None = None
    """What a second try of the same mail shares with the first, up to 64 characters; None where none is recognised.

    It begins with FLEETING where the mail has no Message-ID: later on the same octets may be another mail.
    """
    client: str | None = None
    """The IP address that handed it in to us: a stranger's, or that of a mail server of our own."""
    helo: str | None = None
    """What it called itself."""
    mailbox: str | None = None
    """Not handed in but found in this mailbox of ours at a provider; then the two above are not known."""
    form: dict[str, Any] = field(default_factory=dict)
    """Not a mail but a form that was filled in: what it said."""
