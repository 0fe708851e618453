"""The yardstick where smtp-source is missing, and similar to it: python bench/source.py PORT LETTERS."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from typing import cast

import uvloop

SESSIONS, OCTETS = 20, 10_240
CONTENT = b"Subject: yardstick\r\n\r\n" + (b"x" * 78 + b"\r\n") * (OCTETS // 80) + b".\r\n"
DIALOGUE = (
    (b"220", b"EHLO bench\r\n"),
    (b"250", b"MAIL FROM:<a@example.org>\r\n"),
    (b"250", b"RCPT TO:<b@example.org>\r\n"),
    (b"250", b"DATA\r\n"),
    (b"354", CONTENT),
    (b"250", b"QUIT\r\n"),
)


class SourceClient(asyncio.Protocol):
    """One letter on one connection, without pipelining, as smtp-source sends it."""

    def __init__(self, over: Callable[[], None]) -> None:
        self.closed, self.step = over, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the greeting."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take the next step when the reply is complete: its last line has a blank after the code."""
        if self.step == len(DIALOGUE):
            return
        code, line = DIALOGUE[self.step]
        last = data[:-2].rpartition(b"\n")[2]
        if last[3:4] == b"-":
            return
        if not last.startswith(code):
            raise SystemExit(f"the sink replied {data!r}, not {code!r}")
        self.step += 1
        self.transport.write(line)

    def connection_lost(self, _trouble: Exception | None) -> None:
        """The sink closes after our QUIT."""
        self.closed()


async def main(port: int, letters: int) -> None:
    """Send `letters` letters over SESSIONS sessions at once."""
    loop = asyncio.get_running_loop()

    async def carry() -> None:
        for _ in range(letters // SESSIONS):
            over = asyncio.Event()
            _, source = await loop.create_connection(partial(SourceClient, over.set), "127.0.0.1", port)
            await over.wait()
            if source.step < len(DIALOGUE):
                raise SystemExit("the sink closed before it had taken the letter")

    await asyncio.gather(*(carry() for _ in range(SESSIONS)))


uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
