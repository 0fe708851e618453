"""An SMTP relay in a process of its own, which writes down what it takes before it says so, and misbehaves on order.

    python sink.py LOG      prints `port N`, then reads orders from its stdin and answers each with `done`

The log has a line a letter: recipient, SHA-256 of the content as it travelled, number of the connection, time.
Orders (STAGE is greeting, ehlo, auth, mail, rcpt, data or dot):

    say STAGE REPLY         answer so from now on; a 421 hangs up, too
    stall STAGE             be silent there, until all is well
    drop STAGE              break the line there
    reset                   break all lines now
    refuse | listen         take no connections; take them again, on the same port
    kill WHERE PID...       kill -9 at the next dot: WHERE is before (it is written down), after (written down and not
                            answered) or answered (right after the 250)
    tell WORD               print `told WORD`
    keep FOLDER             put each letter into FOLDER/RECIPIENT, too
    well                    forget all of these
    after N ORDER           obey the order when N more letters have been written down
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

_RECIPIENT = re.compile(rb"TO:\s*<([^<>]*)>", re.IGNORECASE)
_STAGES = {b"EHLO": "ehlo", b"HELO": "ehlo", b"AUTH": "auth", b"MAIL": "mail", b"RCPT": "rcpt", b"DATA": "data"}
_ANSWERS = {
    "greeting": b"220 sink",
    "ehlo": b"250-sink\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN",
    "auth": b"235 2.7.0 welcome",
    "mail": b"250 2.1.0 ok",
    "rcpt": b"250 2.1.5 ok",
    "data": b"354 go on",
    "dot": b"250 2.0.0 taken",
}


@dataclass(slots=True)
class Sink:
    """What it was told, and what it took."""

    log: int
    server: asyncio.Server | None = None
    port: int = 0
    sessions: set[Session] = field(default_factory=set)
    connections: int = 0
    letters: int = 0
    orders: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """By stage: say, stall or drop, and the reply."""
    later: list[tuple[int, list[str]]] = field(default_factory=list)
    """Orders that wait for a number of letters."""
    kill: tuple[str, list[int]] | None = None
    keep: Path | None = None

    async def listen(self) -> None:
        """Take connections, on the port we had if we had one."""
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: Session(self), "127.0.0.1", self.port, backlog=512)
        self.port = self.server.sockets[0].getsockname()[1]

    def take(self, recipient: bytes, content: bytes, connection: int) -> None:
        """Write a letter down, for good, before anybody hears that it was taken."""
        digest = hashlib.sha256(content).hexdigest()
        os.write(self.log, b"%s %s %d %.6f\n" % (recipient, digest.encode(), connection, time.time()))
        self.letters += 1
        if self.keep is not None:
            (self.keep / recipient.decode()).write_bytes(content)
        while self.later and self.later[0][0] <= self.letters:
            self.obey(self.later.pop(0)[1])

    def obey(self, words: list[str]) -> None:
        """Carry out one order."""
        match words:
            case ["after", number, *order]:
                self.later = sorted([*self.later, (self.letters + int(number), order)])
            case ["kill", where, *pids]:
                self.kill = (where, [int(pid) for pid in pids])
            case ["tell", *told]:
                say(f"told {' '.join(told)}")
            case ["keep", folder]:
                self.keep = Path(folder)
            case _:
                self.behave(words)

    def behave(self, words: list[str]) -> None:
        """From now on well or badly."""
        match words:
            case [("say" | "stall" | "drop") as what, stage, *reply]:
                self.orders[stage] = (what, " ".join(reply).encode())
            case ["reset"]:
                for session in tuple(self.sessions):
                    session.break_off()
            case ["refuse"] if self.server is not None:
                self.server.close()
            case ["listen"]:
                self.server = None
            case ["well"]:
                self.orders, self.later, self.kill, self.keep = {}, [], None, None
                _told.clear()
                for session in tuple(self.sessions):
                    session.go_on()
            case _:
                say(f"not understood: {words}")

    def shoot(self, where: str) -> bool:
        """Kill whom we were told to kill, if this is the moment; whether it is."""
        if self.kill is None or self.kill[0] != where:
            return False
        (_, pids), self.kill = self.kill, None
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                say(f"gone before: {pid}")
        say(f"told killed {where}")
        return True


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        sink.connections += 1
        self.number = sink.connections
        self.rest, self.recipient = b"", b""
        self.expects = "greeting"
        """The stage of what comes next, where that is not a command."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self.transport = cast("asyncio.Transport", transport)
        self.sink.sessions.add(self)
        self.go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever hangs up is forgotten."""
        self.sink.sessions.discard(self)

    def data_received(self, data: bytes) -> None:
        """Hear more."""
        self.rest += data
        self.go_on()

    def go_on(self) -> None:
        """Answer each whole command, and each content at its dot, as far as we may."""
        while not self.transport.is_closing():
            if self.expects == "greeting":
                head, found, rest = b"", b"-", self.rest
            else:
                end = b"\r\n.\r\n" if self.expects == "dot" else b"\r\n"
                head, found, rest = self.rest.partition(end)
            if not found:
                return
            stage = self.expects or _STAGES.get(head[:4].upper(), "")
            what, reply = self.sink.orders.get(stage, ("", b""))
            if what == "stall":
                tell_once(f"told {what} {stage}")
                return
            self.rest = rest
            self.answer(stage, head, what, reply)

    def answer(self, stage: str, head: bytes, what: str, reply: bytes) -> None:
        """To one command or content."""
        self.expects = ""
        if what:
            tell_once(f"told {what} {stage}")
        if what == "drop":
            self.break_off()
        elif what == "say":
            self.transport.write(reply + b"\r\n")
            if reply.startswith(b"421"):
                self.transport.close()
        elif stage == "dot":
            self.take(head)
        else:
            self.comply(stage, head)

    def comply(self, stage: str, head: bytes) -> None:
        """Answer a command as a good relay does."""
        if stage == "rcpt" and (found := _RECIPIENT.search(head)):
            self.recipient = found[1]
        self.expects = "dot" if stage == "data" else ""
        verb = head[:4].upper()
        self.transport.write(b"221 bye\r\n" if verb == b"QUIT" else _ANSWERS.get(stage, b"250 ok") + b"\r\n")
        if verb == b"QUIT":
            self.transport.close()

    def take(self, content: bytes) -> None:
        """Take a letter, unless somebody is to be killed over it."""
        sink = self.sink
        if sink.shoot("before"):
            self.break_off()
            return
        sink.take(self.recipient, content, self.number)
        sink.shoot("after")
        self.transport.write(_ANSWERS["dot"] + b"\r\n")
        sink.shoot("answered")

    def break_off(self) -> None:
        """Break the line, without a goodbye: not even TCP's."""
        line = self.transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


_told: set[str] = set()


def tell_once(line: str) -> None:
    """Tell of a misbehaviour the first time."""
    if line not in _told:
        _told.add(line)
        say(line)


def say(line: str) -> None:
    """To whom we work for."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(log: str) -> None:
    """Obey until stdin ends."""
    sink = Sink(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644))
    await sink.listen()
    say(f"port {sink.port}")
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        sink.obey(line.decode().split())
        if sink.server is None:
            await sink.listen()
        say("done")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
