"""A relay that accepts letters as fast as Python can: python bench/sink.py PORT [FILE].

It counts on stdout as smtp-sink -c does. The last letter is kept in FILE.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import cast

import uvloop

KEEP = Path(sys.argv[2]) if len(sys.argv) > 2 else None


class Sink(asyncio.Protocol):
    """One connection: answers 250 to everything, keeps nothing, offers PIPELINING."""

    taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the greeting."""
        self.transport = cast("asyncio.Transport", transport)
        self.rest, self.in_content, self.leaving = b"", False, False
        self.transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer each complete command, and each message at its final dot."""
        self.rest += data
        answers, before = [], Sink.taken
        while True:
            end = b"\r\n.\r\n" if self.in_content else b"\r\n"
            head, found, rest = self.rest.partition(end)
            if not found:
                break
            self.rest = rest
            Sink.taken += self.in_content
            if self.in_content and KEEP:
                KEEP.write_bytes(head)
            answers.append(b"250 2.0.0 taken\r\n" if self.in_content else self.answer(head))
            self.in_content = not self.in_content and head.upper() == b"DATA"
        if answers:
            self.transport.write(b"".join(answers))
        if self.leaving:
            self.transport.close()
        if Sink.taken > before:
            os.write(1, b"mesg=%d\r" % Sink.taken)

    def answer(self, command: bytes) -> bytes:
        """The reply to one command."""
        match command[:4].upper():
            case b"EHLO":
                return b"250-sink\r\n250-8BITMIME\r\n250 PIPELINING\r\n"
            case b"DATA":
                return b"354 go\r\n"
            case b"QUIT":
                self.leaving = True
                return b"221 bye\r\n"
        return b"250 ok\r\n"


async def main(port: int) -> None:
    """Listen until killed."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


uvloop.run(main(int(sys.argv[1])))
