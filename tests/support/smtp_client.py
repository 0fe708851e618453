"""For tests of the mail door: a client that speaks line by line, and a desk that remembers what came in."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailer.domain.incoming_message import Arrival
from mailer.entrypoints.smtp.server import Intake, IntakeDoor, open_intake
from mailer.store.spool import octets_of

DOMAIN = "lists.example.org"
JOIN = f"appeals-join@{DOMAIN}"
LEAVE = f"appeals-leave@{DOMAIN}"
MAIL = b"From: Rosa <rosa@example.org>\r\nSubject: harvest\r\n\r\nI am coming.\r\n"


@dataclass
class Desk:
    """Stands in for the ledger: knows the lists' addresses, and writes mails down."""

    received: list[tuple[str, tuple[str, ...], bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    written: asyncio.Event = field(default_factory=asyncio.Event)
    may_write: asyncio.Event = field(default_factory=asyncio.Event)
    trouble: Exception | None = None
    full: str | None = None
    arrivals: list[Arrival] = field(default_factory=list)
    spool: Path = Path()

    def __post_init__(self) -> None:
        self.may_write.set()

    async def hindrance(self) -> str | None:
        return self.full

    async def recognise(self, address: str) -> bool:
        self.asked.append(address)
        return address.startswith(("appeals-", "postmaster@"))

    async def receive(self, arrival: Arrival) -> None:
        self.begun.set()
        await self.may_write.wait()
        if self.trouble is not None:
            raise self.trouble
        self.arrivals.append(arrival)
        self.received.append((arrival.sender, arrival.recipients, await octets_of(self.spool, arrival)))
        self.written.set()


@dataclass
class Visitor:
    """A client without manners of its own: says exactly what it is told."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def reply(self) -> str:
        """The next reply, all its lines."""
        lines = []
        while not lines or lines[-1][3:4] == "-":
            lines.append((await asyncio.wait_for(self.reader.readline(), 5)).decode("ascii").rstrip("\r\n"))
        return "\n".join(lines)

    async def say(self, line: str | bytes) -> str:
        self.writer.write((line.encode() if isinstance(line, str) else line) + b"\r\n")
        await self.writer.drain()
        return await self.reply()

    async def begin_mail(self, *recipients: str, sender: str = "rosa@example.org", hello: str = "EHLO") -> None:
        """Everything up to and with the 354."""
        for line in (f"{hello} home.example.org", f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{to}>" for to in recipients)):
            assert (await self.say(line)).startswith("250")
        assert (await self.say("DATA")).startswith("354")

    async def rest(self) -> bytes:
        """All that comes until the door hangs up; a reset counts as hanging up."""
        try:
            return await asyncio.wait_for(self.reader.read(), 5)
        except ConnectionError:
            return b""

    async def leave(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


async def visit(intake: Intake, host: str = "127.0.0.1") -> Visitor:
    """A connected client that has not read the greeting."""
    return Visitor(*await asyncio.open_connection(host, intake.port))


@asynccontextmanager
async def opened(desk: Desk, **changed: Any) -> AsyncIterator[Intake]:
    """The door on a free port of this machine, closed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        desk.spool = changed.get("spool", Path(folder) / "spool")
        values = {"host": "127.0.0.1", "port": 0, "protocol": "smtp", "hostname": "mx.example.org", "domain": DOMAIN}
        intake = await open_intake(IntakeDoor(**{"spool": desk.spool, **values, **changed}), desk)
        try:
            yield intake
        finally:
            await intake.close()


@asynccontextmanager
async def visiting(desk: Desk, **changed: Any) -> AsyncIterator[Visitor]:
    """A client that has just been greeted."""
    async with opened(desk, **changed) as intake:
        visitor = await visit(intake)
        assert (await visitor.reply()).startswith("220")
        try:
            yield visitor
        finally:
            await visitor.leave()
