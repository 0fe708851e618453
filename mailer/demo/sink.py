"""An SMTP server that takes the place of the relay and puts every letter into the inbox."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from mailer.demo.inbox import Inbox

_LONGEST_LINE = 1 << 16
_PATH = re.compile(r"(FROM|TO):\s*<([^<>]*)>(?:\s.*)?", re.IGNORECASE)


@dataclass(slots=True)
class _Envelope:
    """The envelope so far, from MAIL and RCPT."""

    return_path: str | None = None
    recipients: list[str] = field(default_factory=list)

    def clear(self) -> None:
        self.return_path = None
        self.recipients.clear()


@contextlib.asynccontextmanager
async def open_sink(inbox: Inbox, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Listen while the block runs; yields the port. At the end all connections are closed."""
    sessions: set[asyncio.Task[None]] = set()
    closing = asyncio.Event()

    def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if closing.is_set():
            # Accepted in the moment in which we close.
            writer.transport.abort()
            return
        session = asyncio.create_task(_run_session(inbox, reader, writer))
        sessions.add(session)
        session.add_done_callback(sessions.discard)
        # Not in a `finally` of the session, which a session cancelled before its first step does not reach.
        session.add_done_callback(lambda _: writer.transport.abort())

    server = await asyncio.start_server(on_connect, host, port, limit=_LONGEST_LINE)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        closing.set()
        server.close()
        for session in tuple(sessions):
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
        await server.wait_closed()


async def _run_session(inbox: Inbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Run one session (RFC 5321) until QUIT or the end of the connection; pipelining is allowed (RFC 2920)."""
    envelope = _Envelope()
    verb, reply = "", "220 demo ESMTP: nothing leaves this machine"
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        while True:
            writer.write(f"{reply}\r\n".encode())
            await writer.drain()
            if verb == "QUIT":
                break
            verb, _, argument = (await _read_line(reader)).decode("utf-8", "replace").strip().partition(" ")
            verb = verb.upper()
            if verb == "DATA" and envelope.recipients:
                writer.write(b"354 go ahead, end with a dot\r\n")
                reply = await _store_letter(inbox, envelope, await _read_content(reader))
            else:
                reply = _reply(verb, argument.strip(), envelope)
        writer.close()
        await writer.wait_closed()


async def _store_letter(inbox: Inbox, envelope: _Envelope, content: bytes) -> str:
    for recipient in envelope.recipients:
        letter = await inbox.add(envelope.return_path or "", recipient, content)
    envelope.clear()
    return f"250 2.0.0 remembered as {letter.number}"


def _reply(verb: str, argument: str, envelope: _Envelope) -> str:
    """The reply to any command except DATA with recipients (RFC 5321 section 4.3.2)."""
    match verb:
        case "EHLO" | "HELO" | "RSET":
            envelope.clear()
            return "250-demo\r\n250-PIPELINING\r\n250 8BITMIME" if verb == "EHLO" else "250 demo"
        case "MAIL" | "RCPT":
            return _note_path(verb, argument, envelope)
        case "DATA":
            return "503 5.5.1 RCPT first"
        case "NOOP":
            return "250 2.0.0 yes"
        case "QUIT":
            return "221 2.0.0 goodbye"
        case _:
            return "502 5.5.1 not known here"


def _note_path(verb: str, argument: str, envelope: _Envelope) -> str:
    path = _PATH.fullmatch(argument)
    if path is None or (path[1].upper() == "FROM") != (verb == "MAIL"):
        return "501 5.5.4 write MAIL FROM:<address> or RCPT TO:<address>"
    if (verb == "MAIL") != (envelope.return_path is None):
        return "503 5.5.1 one MAIL first, then RCPT"
    if verb == "MAIL":
        envelope.return_path = path[2]
        return "250 2.1.0 sender noted"
    if not path[2]:
        return "501 5.1.3 to whom?"
    envelope.recipients.append(path[2])
    return "250 2.1.5 recipient noted"


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n")


async def _read_content(reader: asyncio.StreamReader) -> bytes:
    """The letter up to its final dot, with doubled dots removed (RFC 5321 section 4.5.2)."""
    lines: list[bytes] = []
    while (line := await _read_line(reader)) != b".\r\n":
        lines.append(line.removeprefix(b"."))
    return b"".join(lines)
