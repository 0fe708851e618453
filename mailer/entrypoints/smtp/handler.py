"""Who may hand in mail for whom, and the promise that a mail is written down before it is answered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailer.domain.incoming_message import IncomingMessage
from mailer.entrypoints.smtp.connection_limits import Network
from mailer.entrypoints.smtp.message_stream import NO_ROOM, MessageStream
from mailer.entrypoints.smtp.tls_certificate import Certificate

NULL_SENDER = "<>"
"""How a session notes the empty MAIL FROM; it is handed on as ""."""
TRY_LATER = "451 4.3.0 Try again later"
_RELAYING_DENIED = "550 5.7.1 We are no relay, and this is no address of ours"
_RELAY_SYNTAX = re.compile(r"[%!@\s\x00-\x1f\x7f]")
"""In a local part: some server would carry the mail on (RFC 5321, appendices C and F.2), or it is an attempt at it."""
_QUOTED_PAIR = re.compile(r"\\(.)")

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpServerConfig:
    """Where and how mail comes in."""

    host: str
    port: int
    """0 for any free one."""
    protocol: Literal["smtp", "lmtp"]
    hostname: str
    """Who the greeting says we are."""
    domain: str
    """The one domain whose mail we take."""
    spool: Path
    """The folder of large mails; made when the first one comes."""
    certificate: Certificate | None = None
    """With one STARTTLS is offered."""
    own_servers: tuple[Network, ...] = ()
    """Our own mail servers."""
    proxies: tuple[Network, ...] = ()
    """Load balancers, which tell in a PROXY line whom they bring."""
    most_octets: int = 10 * 2**20
    """Of one mail, as it travels."""
    most_recipients: int = 20
    most_connections: int = 200
    most_per_address: int = 20
    timeout_s: float = 60
    """For one command, and between two pieces of a mail; a whole mail may take five times as long."""
    session_s: float = 1800
    """For everything, unless it is a mail server of ours."""

    def open_message_stream(
        self, sender: str, recipients: Iterable[str], *, from_mailbox: bool = False
    ) -> MessageStream:
        """For a mail of this envelope, within the bounds of this door."""
        return MessageStream(
            domain=self.domain,
            spool=self.spool,
            most_octets=self.most_octets,
            sender=sender,
            recipients=tuple(dict.fromkeys(recipients)),
            from_mailbox=from_mailbox,
        )


class ReceiverProtocol(Protocol):
    """Who is asked about addresses, and writes mails down."""

    async def refusal_reason(self) -> str | None:
        """Why no mail can be taken in for now, for the log; None while it can."""

    async def is_known_recipient(self, recipient: str) -> bool:
        """Whether an address of our domain is one somebody answers to."""

    async def receive(self, message: IncomingMessage) -> None:
        """Return once the mail is committed; an error is a 451."""


# Without slots: aiosmtpd looks at every attribute, and before Python 3.11.3 one that slots leave behind raises.
@dataclass(kw_only=True)
class SmtpHandler:
    """aiosmtpd's handler: knows who is at home, and has each mail written down before it answers."""

    config: SmtpServerConfig
    receiver: ReceiverProtocol
    pending_receipts: set[asyncio.Task[str]] = field(default_factory=set)
    """Mails that are just being written down."""
    _is_accepting: bool = True

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Begin a mail while there is room for one."""
        blocker = await self.receiver.refusal_reason()
        if self._is_accepting != (blocker is None):
            self._is_accepting = blocker is None
            log.warning("no mail is taken" if blocker else "mail is taken again", why=blocker)
        if blocker is not None:
            return NO_ROOM
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take an address of ours that somebody answers to; bare `postmaster` is one (RFC 5321 section 4.5.1)."""
        recipient = parse_own_address(address, self.config.domain)
        if recipient is None:
            return _RELAYING_DENIED
        if len(envelope.rcpt_tos) >= self.config.most_recipients:
            return "452 4.5.3 Too many recipients"
        if not await self.receiver.is_known_recipient(recipient):
            return "550 5.1.1 No such address"
        envelope.rcpt_tos.append(recipient)
        return "250 2.1.5 OK"

    def open_message_stream(self, envelope: Envelope) -> MessageStream:
        """For the mail that follows this envelope."""
        sender = "" if envelope.mail_from == NULL_SENDER else envelope.mail_from or ""
        return self.config.open_message_stream(sender, envelope.rcpt_tos)

    async def accept_message(self, stream: MessageStream, client: str, helo: str | None) -> str:
        """250 once the mail is written down; a client that hangs up meanwhile does not stop the writing."""
        receipt = asyncio.create_task(self._store(stream, client, helo))
        self.pending_receipts.add(receipt)
        receipt.add_done_callback(self.pending_receipts.discard)
        return await asyncio.shield(receipt)

    async def handle_exception(self, error: Exception) -> str:
        """The reply to what we stumbled over: the log is told all, the client nothing."""
        log.error("intake.trouble", exc_info=error)
        return TRY_LATER

    async def _store(self, stream: MessageStream, client: str, helo: str | None) -> str:
        try:
            message = await stream.build_message(client=client, helo=helo)
        except OSError as error:
            log.error("the spool takes no mail", trouble=str(error))
            stream.refuse(NO_ROOM)
            return NO_ROOM
        try:
            await self.receiver.receive(message)
        except Exception as error:  # whatever it was, the client keeps the mail and comes again
            return await self.handle_exception(error)
        finally:
            # Where nobody knows whether its row was committed, the desk sees to the file.
            if stream.file is not None:
                await asyncio.to_thread(stream.file.close)
        return "250 2.0.0 OK"


def parse_own_address(address: str, domain: str) -> str | None:
    """The recipient as we write it, or None where it is not ours, or would have us carry mail on to others."""
    if address.lower() == "postmaster":
        return f"postmaster@{domain}"
    local, _, its_domain = address.rpartition("@")
    if its_domain.lower() != domain.lower():
        return None
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = _QUOTED_PAIR.sub(r"\1", local[1:-1])
    return None if _RELAY_SYNTAX.search(local) else f"{local}@{its_domain}"
