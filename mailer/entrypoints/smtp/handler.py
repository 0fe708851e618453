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

from mailer.domain.incoming_message import Arrival
from mailer.entrypoints.smtp.connection_limits import Network
from mailer.entrypoints.smtp.message_stream import NO_ROOM, Stream
from mailer.entrypoints.smtp.tls_certificate import Certificate

NULL_SENDER = "<>"
"""How a session notes the empty MAIL FROM; it is handed on as ""."""
TRY_LATER = "451 4.3.0 Try again later"
_NO_RELAY = "550 5.7.1 We are no relay, and this is no address of ours"
_DETOUR = re.compile(r"[%!@\s\x00-\x1f\x7f]")
"""In a local part: some server would carry the mail on (RFC 5321, appendices C and F.2), or it is an attempt at it."""
_QUOTED_PAIR = re.compile(r"\\(.)")

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
    spool: Path
    """The folder of large mails; made when the first one comes."""
    certificate: Certificate | None = None
    """With one STARTTLS is offered."""
    own: tuple[Network, ...] = ()
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

    def stream(self, sender: str, recipients: Iterable[str], *, lies_there: bool = False) -> Stream:
        """For a mail of this envelope, within the bounds of this door."""
        return Stream(
            domain=self.domain,
            spool=self.spool,
            most_octets=self.most_octets,
            sender=sender,
            recipients=tuple(dict.fromkeys(recipients)),
            lies_there=lies_there,
        )


class Desk(Protocol):
    """Who is asked about addresses, and writes mails down."""

    async def hindrance(self) -> str | None:
        """Why no mail can be taken in for now, for the log; None while it can."""

    async def recognise(self, recipient: str) -> bool:
        """Whether an address of our domain is one somebody answers to."""

    async def receive(self, arrival: Arrival) -> None:
        """Return once the mail is committed; an error is a 451."""


# Without slots: aiosmtpd looks at every attribute, and before Python 3.11.3 one that slots leave behind raises.
@dataclass(kw_only=True)
class Doorkeeper:
    """aiosmtpd's handler: knows who is at home, and has each mail written down before it answers."""

    door: IntakeDoor
    desk: Desk
    receipts: set[asyncio.Task[str]] = field(default_factory=set)
    """Mails that are just being written down."""
    _has_room: bool = True

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Begin a mail while there is room for one."""
        hindrance = await self.desk.hindrance()
        if self._has_room != (hindrance is None):
            self._has_room = hindrance is None
            log.warning("no mail is taken" if hindrance else "mail is taken again", why=hindrance)
        if hindrance is not None:
            return NO_ROOM
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take an address of ours that somebody answers to; bare `postmaster` is one (RFC 5321 section 4.5.1)."""
        ours = own_address(address, self.door.domain)
        if ours is None:
            return _NO_RELAY
        if len(envelope.rcpt_tos) >= self.door.most_recipients:
            return "452 4.5.3 Too many recipients"
        if not await self.desk.recognise(ours):
            return "550 5.1.1 No such address"
        envelope.rcpt_tos.append(ours)
        return "250 2.1.5 OK"

    def stream(self, envelope: Envelope) -> Stream:
        """For the mail that follows this envelope."""
        sender = "" if envelope.mail_from == NULL_SENDER else envelope.mail_from or ""
        return self.door.stream(sender, envelope.rcpt_tos)

    async def take(self, stream: Stream, client: str, helo: str | None) -> str:
        """250 once the mail is written down; a client that hangs up meanwhile does not stop the writing."""
        receipt = asyncio.create_task(self._write_down(stream, client, helo))
        self.receipts.add(receipt)
        receipt.add_done_callback(self.receipts.discard)
        return await asyncio.shield(receipt)

    async def handle_exception(self, trouble: Exception) -> str:
        """The reply to what we stumbled over: the log is told all, the client nothing."""
        log.error("intake.trouble", exc_info=trouble)
        return TRY_LATER

    async def _write_down(self, stream: Stream, client: str, helo: str | None) -> str:
        try:
            arrival = await stream.arrival(client=client, helo=helo)
        except OSError as trouble:
            log.error("the spool takes no mail", trouble=str(trouble))
            stream.refuse(NO_ROOM)
            return NO_ROOM
        try:
            await self.desk.receive(arrival)
        except Exception as trouble:  # whatever it was, the client keeps the mail and comes again
            return await self.handle_exception(trouble)
        finally:
            # Where nobody knows whether its row was committed, the desk sees to the file.
            if stream.file is not None:
                await asyncio.to_thread(stream.file.close)
        return "250 2.0.0 OK"


def own_address(address: str, domain: str) -> str | None:
    """The recipient as we write it, or None where it is not ours, or would have us carry mail on to others."""
    if address.lower() == "postmaster":
        return f"postmaster@{domain}"
    local, _, its_domain = address.rpartition("@")
    if its_domain.lower() != domain.lower():
        return None
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = _QUOTED_PAIR.sub(r"\1", local[1:-1])
    return None if _DETOUR.search(local) else f"{local}@{its_domain}"
