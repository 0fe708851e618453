"""An SMTP load client, every mail with its own text: python bench/smtp_load.py PORT MAILS TO [once].

On twenty connections that stay open; with `once`, each connection carries one mail. Prints the seconds it took.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import cast

import uvloop

CONNECTIONS, OCTETS = 20, 2048
BODY = (b"We bring seeds, and a cake for whoever digs with us.".ljust(78, b".") + b"\r\n") * (OCTETS // 80 - 3)


class LoadClient(asyncio.Protocol):
    """One connection, without pipelining."""

    def __init__(self, to: bytes, numbers: Iterator[int], over: asyncio.Future[None], once: bool) -> None:
        self.to, self.numbers, self.closed, self.once = to, numbers, over, once
        self.answer = b""
        self.steps = self.dialogue()

    def dialogue(self) -> Iterator[tuple[bytes, bytes]]:
        """(reply code to wait for, line to send then), for one mail after the other."""
        yield b"220", b"EHLO bench.example.org\r\n"
        for number in self.numbers:
            yield b"250", b"MAIL FROM:<someone%d@example.org> SIZE=%d\r\n" % (number, OCTETS)
            yield b"250", b"RCPT TO:<%b>\r\n" % self.to
            yield b"250", b"DATA\r\n"
            head = b"From: someone%d@example.org\r\nMessage-ID: <%d@example.org>\r\nSubject: seeds\r\n\r\n"
            yield b"354", head % (number, number) + BODY + b".\r\n"
            if self.once:
                break
        yield b"250", b"QUIT\r\n"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the greeting."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take the next step when the reply is complete: its last line has a blank after the code."""
        self.answer += data
        if not self.answer.endswith(b"\n") or self.answer[:-2].rpartition(b"\n")[2][3:4] == b"-":
            return
        answer, self.answer = self.answer, b""
        code, line = next(self.steps, (b"221", b""))
        if not answer.startswith(code):
            raise SystemExit(f"the server replied {answer!r}, not {code!r}")
        self.transport.write(line)

    def connection_lost(self, _trouble: Exception | None) -> None:
        """The server closes after our QUIT."""
        self.closed.set_result(None)


async def main(port: int, mails: int, to: bytes, once: bool) -> None:
    """Send the mails over all connections; print the seconds it took."""
    loop, numbers = asyncio.get_running_loop(), iter(range(mails))

    async def carry() -> None:
        left = mails // CONNECTIONS if once else 1
        for _ in range(left):
            over = loop.create_future()
            await loop.create_connection(partial(LoadClient, to, numbers, over, once), "127.0.0.1", port)
            await over

    began = time.perf_counter()
    await asyncio.gather(*(carry() for _ in range(CONNECTIONS)))
    if next(numbers, None) is not None:
        raise SystemExit("the server closed before it had accepted all mails")
    print(time.perf_counter() - began)


uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode(), sys.argv[4:] == ["once"]))
