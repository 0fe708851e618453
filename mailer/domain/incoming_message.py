"""A mail or form as it was received, before anything in it is believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MAX_INLINE_OCTETS = 64 * 1024
"""Octets of a mail that are stored in its row; a longer one is a file in the spool."""

NO_MESSAGE_ID = "~"
"""The first character of the digest of a mail without a Message-ID."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IncomingMessage:
    """One mail with its envelope and the client that handed it in."""

    sender: str
    """Envelope sender; "" for the null sender."""
    recipients: tuple[str, ...]
    """Addresses of our domain, each once."""
    raw: bytes = b""
    """The octets; empty if they are in the spool."""
    spool_name: str | None = None
    """The name of the file in the spool, which is written and synced."""
    digest: str | None = None
    """The same for each attempt to hand in one mail, up to 64 characters; None if attempts are not recognised.

    It begins with NO_MESSAGE_ID for a mail without a Message-ID: another mail may have the same octets some time later.
    """
    client: str | None = None
    """The IP address that handed it in: a sender's, or that of a mail server of ours."""
    helo: str | None = None
    """The name that the client gave in HELO or EHLO."""
    mailbox: str | None = None
    """The mailbox at a provider that it was fetched from; `client` and `helo` are None then."""
    form: dict[str, Any] = field(default_factory=dict)
    """The fields of a submitted form; empty for a mail."""
