"""For tests of the SMTP server: a client that sends line by line, and a receiver that records messages."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailer.domain.incoming_message import IncomingMessage
from mailer.entrypoints.smtp.handler import SmtpServerConfig
from mailer.entrypoints.smtp.server import SmtpServer, start_smtp_server
from mailer.store.spool import read_message

DOMAIN = "lists.example.org"
JOIN = f"appeals-join@{DOMAIN}"
LEAVE = f"appeals-leave@{DOMAIN}"
MAIL = b"From: Rosa <rosa@example.org>\r\nSubject: harvest\r\n\r\nI am coming.\r\n"


@dataclass
class RecordingReceiver:
    """A ReceiverProtocol without a database: accepts `appeals-` addresses, and records messages."""

    received: list[tuple[str, tuple[str, ...], bytes]] = field(default_factory=list)
    checked_addresses: list[str] = field(default_factory=list)
    receive_started: asyncio.Event = field(default_factory=asyncio.Event)
    receive_finished: asyncio.Event = field(default_factory=asyncio.Event)
    may_finish: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    unavailable_reason: str | None = None
    messages: list[IncomingMessage] = field(default_factory=list)
    spool: Path = Path()

    def __post_init__(self) -> None:
        self.may_finish.set()

    async def refusal_reason(self) -> str | None:
        return self.unavailable_reason

    async def is_known_recipient(self, address: str) -> bool:
        self.checked_addresses.append(address)
        return address.startswith(("appeals-", "postmaster@"))

    async def receive(self, message: IncomingMessage) -> None:
        self.receive_started.set()
        await self.may_finish.wait()
        if self.error is not None:
            raise self.error
        self.messages.append(message)
        self.received.append((message.sender, message.recipients, await read_message(self.spool, message)))
        self.receive_finished.set()


@dataclass
class SmtpClient:
    """A client that sends exactly what it is given."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read_reply(self) -> str:
        """The next reply, all its lines."""
        lines = []
        while not lines or lines[-1][3:4] == "-":
            lines.append((await asyncio.wait_for(self.reader.readline(), 5)).decode("ascii").rstrip("\r\n"))
        return "\n".join(lines)

    async def send_command(self, line: str | bytes) -> str:
        self.writer.write((line.encode() if isinstance(line, str) else line) + b"\r\n")
        await self.writer.drain()
        return await self.read_reply()

    async def begin_mail(self, *recipients: str, sender: str = "rosa@example.org", greeting: str = "EHLO") -> None:
        """Send everything up to DATA, and read the 354."""
        for line in (
            f"{greeting} home.example.org",
            f"MAIL FROM:<{sender}>",
            *(f"RCPT TO:<{to}>" for to in recipients),
        ):
            assert (await self.send_command(line)).startswith("250")
        assert (await self.send_command("DATA")).startswith("354")

    async def send_mail_to_store(self, receiver: RecordingReceiver) -> None:
        """Send a mail to JOIN; returns while the receiver, which may not finish yet, stores it."""
        receiver.may_finish.clear()
        await self.read_reply()
        await self.begin_mail(JOIN)
        self.writer.write(MAIL + b".\r\n")
        await receiver.receive_started.wait()

    async def read_to_end(self) -> bytes:
        """Everything until the server hangs up; a reset counts as that."""
        try:
            return await asyncio.wait_for(self.reader.read(), 5)
        except ConnectionError:
            return b""

    async def disconnect(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


async def connect(server: SmtpServer, host: str = "127.0.0.1") -> SmtpClient:
    """A connected client that has not read the greeting."""
    return SmtpClient(*await asyncio.open_connection(host, server.port))


@asynccontextmanager
async def open_server(receiver: RecordingReceiver, **settings: Any) -> AsyncIterator[SmtpServer]:
    """A server on a free port of this machine, closed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        receiver.spool = settings.get("spool", Path(folder) / "spool")
        values = {"host": "127.0.0.1", "port": 0, "protocol": "smtp", "hostname": "mx.example.org", "domain": DOMAIN}
        server = await start_smtp_server(SmtpServerConfig(**{"spool": receiver.spool, **values, **settings}), receiver)
        try:
            yield server
        finally:
            await server.close()


@asynccontextmanager
async def connected_client(receiver: RecordingReceiver, **settings: Any) -> AsyncIterator[SmtpClient]:
    """A client that has just been greeted."""
    async with open_server(receiver, **settings) as server:
        client = await connect(server)
        assert (await client.read_reply()).startswith("220")
        try:
            yield client
        finally:
            await client.disconnect()
