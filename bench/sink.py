"""A relay that takes letters as fast as Python can, in a process of its own: python bench/sink.py prints its port."""

from __future__ import annotations

import asyncio
from typing import cast

import uvloop


class Sink(asyncio.Protocol):
    """Answers 250 to everything and keeps nothing; knows PIPELINING."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self.transport = cast("asyncio.Transport", transport)
        self.rest, self.in_content = b"", False
        self.transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer each whole command, and each content at its dot."""
        self.rest += data
        answers = []
        while True:
            end = b"\r\n.\r\n" if self.in_content else b"\r\n"
            head, found, rest = self.rest.partition(end)
            if not found:
                break
            self.rest = rest
            answers.append(b"250 2.0.0 taken\r\n" if self.in_content else self.answer(head))
            self.in_content = not self.in_content and head.upper() == b"DATA"
        if answers:
            self.transport.write(b"".join(answers))

    def answer(self, command: bytes) -> bytes:
        """To one command."""
        match command[:4].upper():
            case b"EHLO":
                return b"250-sink\r\n250 PIPELINING\r\n"
            case b"DATA":
                return b"354 go\r\n"
            case b"QUIT":
                self.transport.close()
                return b"221 bye\r\n"
        return b"250 ok\r\n"


async def main() -> None:
    """Listen until killed."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


uvloop.run(main())
