"""An SMTP relay in a process of its own, which writes down what it takes before it says so, and misbehaves on order.

    python -m tests.support.crash_sink LOG

It prints `port N`, then reads orders from its stdin and answers each with `done`.

The log has a line a letter: recipient, SHA-256 of the content as it travelled, number of the connection, time.
Orders (STAGE is greeting, ehlo, auth, mail, rcpt, data or dot):

    say STAGE REPLY         answer so from now on; a 421 hangs up, too
    stall STAGE             be silent there, until all is well
    drop STAGE              break the line there; each of these three prints `told ORDER STAGE` at the first time, and
                            STAGE:5 means five times
    cap N REPLY             answer so to MAIL on each connection that has brought N letters; a 421 hangs up, too
    reset                   break all lines now
    refuse | listen         take no connections; take them again, on the same port
    wait SECONDS            let so much time pass before the answer to each dot
    kill WHERE PID...       kill -9 at the next dot that one of these sends: WHERE is before (it is written down), after
                            (written down and not answered) or answered (right after the 250)
    tell WORD               print `told WORD`
    keep FOLDER             put each letter into FOLDER/RECIPIENT, too
    well                    forget all of these
    after N ORDER           obey the order when N more letters have been written down
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.crash_sink_session import Session, print_line


@dataclass(slots=True)
class Sink:
    """What it was told, and what it took."""

    log: int
    server: asyncio.Server | None = None
    port: int = 0
    sessions: set[Session] = field(default_factory=set)
    connections: int = 0
    letters: int = 0
    orders: dict[str, tuple[str, bytes, int]] = field(default_factory=dict)
    """By stage: say, stall or drop; the reply; and how many times more."""
    printed: set[str] = field(default_factory=set)
    deferred_orders: list[tuple[int, list[str]]] = field(default_factory=list)
    """Orders that wait for a number of letters."""
    cap: tuple[int, bytes] | None = None
    kill: tuple[str, list[int]] | None = None
    keep: Path | None = None
    wait_s: float = 0.0
    """Between a letter's dot and the answer."""

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
        while self.deferred_orders and self.deferred_orders[0][0] <= self.letters:
            self.obey(self.deferred_orders.pop(0)[1])

    def obey(self, words: list[str]) -> None:
        """Carry out one order."""
        match words:
            case ["after", number, *order]:
                self.deferred_orders = sorted([*self.deferred_orders, (self.letters + int(number), order)])
            case ["kill", where, *pids]:
                self.kill = (where, [int(pid) for pid in pids])
            case ["wait", seconds]:
                self.wait_s = float(seconds)
            case ["tell", *marks]:
                print_line(f"told {' '.join(marks)}")
            case ["cap", number, *reply]:
                self.cap = (int(number), " ".join(reply).encode())
            case ["keep", folder]:
                self.keep = Path(folder)
            case _:
                self.obey_behaviour(words)

    def obey_behaviour(self, words: list[str]) -> None:
        """From now on well or badly."""
        match words:
            case [("say" | "stall" | "drop") as what, stage, *reply]:
                stage, _, times = stage.partition(":")
                self.orders[stage] = (what, " ".join(reply).encode(), int(times or sys.maxsize))
            case ["reset"]:
                for session in tuple(self.sessions):
                    session.abort()
            case ["refuse"] if self.server is not None:
                self.server.close()
            case ["listen"] if self.server is not None and not self.server.is_serving():
                self.server = None
            case ["well"]:
                self.orders, self.deferred_orders, self.kill, self.keep, self.cap = {}, [], None, None, None
                self.wait_s = 0.0
                self.printed.clear()
                for session in tuple(self.sessions):
                    session.process_input()
            case _:
                print_line(f"not understood: {words}")

    def ordered_fault(self, stage: str, letters: int) -> tuple[str, bytes]:
        """What was ordered for this moment on a connection with so many letters, and its reply; "" for nothing."""
        if self.cap is not None and stage == "mail" and letters >= self.cap[0]:
            return "say", self.cap[1]
        what, reply, times = self.orders.get(stage, ("", b"", 0))
        if times == 0:
            return "", b""
        if what != "stall":  # a stalled line asks again when all is well, and does not count
            self.orders[stage] = (what, reply, times - 1)
        if (line := f"told {what} {stage}") not in self.printed:
            self.printed.add(line)
            print_line(line)
        return what, reply

    def kill_if_ordered(self, where: str, port: int) -> bool:
        """Kill whom we were told to kill, if this is the moment, at the other end of this port; whether it is."""
        if self.kill is None or self.kill[0] != where or not has_port(self.kill[1], port):
            return False
        (_, pids), self.kill = self.kill, None
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                print_line(f"gone before: {pid}")
        print_line(f"told killed {where}")
        return True


def has_port(pids: list[int], port: int) -> bool:
    """Whether one of these processes, on this machine, is at that end of a connection; yes where nobody can tell."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        return True
    rows = (line.split() for line in table.read_text().splitlines()[1:])
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}")}
    return any(_link(one) in sockets for pid in pids for one in Path(f"/proc/{pid}/fd").glob("*"))


def _link(file: Path) -> str | None:
    try:
        return str(file.readlink())
    except OSError:  # closed since
        return None


async def main(log: str) -> None:
    """Obey until stdin ends."""
    sink = Sink(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644))
    await sink.listen()
    print_line(f"port {sink.port}")
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        sink.obey(line.decode().split())
        if sink.server is None:
            await sink.listen()
        print_line("done")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
