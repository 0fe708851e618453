"""SmtpHandler: accepts senders and recipients, and answers 250 only when a message is committed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailer.actions.inbound.message_stream import IntakeRules, MessageRefusal, MessageStream, ReceiverProtocol
from mailer.entrypoints.smtp.connection_limits import Network
from mailer.entrypoints.smtp.tls_certificate import Certificate

NULL_SENDER = "<>"
"""How a session notes the empty MAIL FROM; it is passed on as ""."""
TRY_LATER = "451 4.3.0 Try again later"
"""The reply to every error, whatever its kind: the client keeps the message and repeats it."""
REFUSAL_REPLIES = {
    MessageRefusal.TOO_LARGE: "552 5.3.4 Too much mail data",
    MessageRefusal.HEADER_TOO_LARGE: "552 5.3.4 The header is too large",
    MessageRefusal.MAIL_LOOP: "554 5.4.6 The mail goes in circles",
    MessageRefusal.NO_ROOM: "452 4.3.1 No room for mail, try again later",
}
_RELAYING_DENIED = "550 5.7.1 We are no relay, and this is no address of ours"

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpServerConfig(IntakeRules):
    """Where the SMTP server listens, and its limits."""

    host: str
    port: int
    """0 for any free one."""
    protocol: Literal["smtp", "lmtp"]
    hostname: str
    """Our name in the greeting."""
    certificate: Certificate | None = None
    """For STARTTLS, which is offered only with one."""
    own_servers: tuple[Network, ...] = ()
    """Our own mail servers."""
    proxies: tuple[Network, ...] = ()
    """Load balancers, which name the client in a PROXY header."""
    most_connections: int = 200
    most_per_address: int = 20
    timeout_s: float = 60
    """For one command, and between two chunks of a message; a whole message may take five times as long."""
    session_s: float = 1800
    """For a whole session, except for our own mail servers."""


# Without slots: aiosmtpd reads every attribute, and before Python 3.11.3 one that slots leave behind raises.
@dataclass(kw_only=True)
class SmtpHandler:
    """The handler of aiosmtpd's sessions."""

    config: SmtpServerConfig
    receiver: ReceiverProtocol
    pending_receipts: set[asyncio.Task[str]] = field(default_factory=set)
    """Messages that are being stored."""
    _is_accepting: bool = True

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Accept a sender unless no mail can be taken in."""
        blocker = await self.receiver.refusal_reason()
        if self._is_accepting != (blocker is None):
            self._is_accepting = blocker is None
            _log.warning("refused all mail" if blocker else "recovered, mail is accepted", reason=blocker)
        if blocker is not None:
            return REFUSAL_REPLIES[MessageRefusal.NO_ROOM]
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Accept an address of our domain if mail to it is processed."""
        recipient = self.config.own_address(address)
        if recipient is None:
            return _RELAYING_DENIED
        if len(envelope.rcpt_tos) >= self.config.most_recipients:
            return "452 4.5.3 Too many recipients"
        if not await self.receiver.is_known_recipient(recipient):
            return "550 5.1.1 No such address"
        envelope.rcpt_tos.append(recipient)
        return "250 2.1.5 OK"

    def open_message_stream(self, envelope: Envelope) -> MessageStream:
        """A stream for the message that follows this envelope."""
        sender = "" if envelope.mail_from == NULL_SENDER else envelope.mail_from or ""
        return self.config.open_message_stream(sender, envelope.rcpt_tos)

    async def accept_message(self, stream: MessageStream, client: str, helo: str | None) -> str:
        """Commit the message and return the reply; it is stored to the end even if the client hangs up."""
        receipt = asyncio.create_task(self._store(stream, client, helo))
        self.pending_receipts.add(receipt)
        receipt.add_done_callback(self.pending_receipts.discard)
        return await asyncio.shield(receipt)

    async def handle_exception(self, error: Exception) -> str:
        """Log an unexpected error; the client only learns that it should try again."""
        _log.error("failed to take in mail", exc_info=error)
        return TRY_LATER

    async def _store(self, stream: MessageStream, client: str, helo: str | None) -> str:
        try:
            message = await stream.build_message(client=client, helo=helo)
        except OSError as error:
            _log.error("failed to write to the spool", error=str(error))
            stream.refuse(MessageRefusal.NO_ROOM)
            return REFUSAL_REPLIES[MessageRefusal.NO_ROOM]
        try:
            await self.receiver.receive(message)
        except Exception as error:  # the client keeps the message and repeats it
            return await self.handle_exception(error)
        finally:
            # If it is unknown whether the row was committed, the receiver looks after the file.
            if stream.file is not None:
                await asyncio.to_thread(stream.file.close)
        return "250 2.0.0 OK"
