"""Who may hand in mail for whom, and the promise that a mail is written down before it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailer.domain.arrival import Arrival

NULL_SENDER = "<>"
"""How a session notes the empty MAIL FROM; it is handed on as ""."""
TRY_LATER = "451 4.3.0 Try again later"

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class IntakeDoor:
    """Where and how mail comes in."""

    host: str
    port: int
    """0 for any free one."""
    protocol: Literal["smtp", "lmtp"]
    hostname: str
    """Who the greeting says we are."""
    domain: str
    """The one domain whose mail we take."""
    most_octets: int = 10 * 2**20
    """Of one mail, as it travels."""
    most_recipients: int = 20
    most_connections: int = 100
    timeout_s: float = 60
    """For one command; a whole mail may take five times as long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Doorkeeper:
    """aiosmtpd's handler: knows who is at home, and has each mail written down before it answers."""

    door: IntakeDoor
    recognise: Callable[[str], Awaitable[bool]]
    """Whether an address of our domain is one somebody answers to."""
    receive: Callable[[Arrival], Awaitable[None]]
    """Returns once the mail is committed."""
    receipts: set[asyncio.Task[str]] = field(default_factory=set)
    """Mails that are just being written down."""

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take an address of ours that somebody answers to; bare `postmaster` is one (RFC 5321 section 4.5.1)."""
        if address.lower() == "postmaster":
            address = f"postmaster@{self.door.domain}"
        if address.rpartition("@")[2].lower() != self.door.domain.lower():
            return "550 5.7.1 We are no relay, and this is no address of ours"
        if len(envelope.rcpt_tos) >= self.door.most_recipients:
            return "452 4.5.3 Too many recipients"
        if not await self.recognise(address):
            return "550 5.1.1 No such address"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """250 once the mail is written down; a client that hangs up meanwhile does not stop the writing."""
        sender = "" if envelope.mail_from == NULL_SENDER else envelope.mail_from or ""
        recipients = tuple(dict.fromkeys(envelope.rcpt_tos))
        receipt = asyncio.create_task(self._write_down(sender, recipients, envelope.original_content or b""))
        self.receipts.add(receipt)
        receipt.add_done_callback(self.receipts.discard)
        return await asyncio.shield(receipt)

    async def handle_exception(self, trouble: Exception) -> str:
        """The reply to what we stumbled over: the log is told all, the client nothing."""
        log.error("intake.trouble", exc_info=trouble)
        return TRY_LATER

    async def _write_down(self, sender: str, recipients: tuple[str, ...], raw: bytes) -> str:
        try:
            await self.receive(Arrival(sender=sender, recipients=recipients, raw=raw))
        except Exception as trouble:  # whatever it was, the client keeps the mail and comes again
            return await self.handle_exception(trouble)
        return "250 2.0.0 OK"
