"""A yardstick where smtp-source is missing, and much like it: python bench/source.py PORT LETTERS."""

from __future__ import annotations

import asyncio
import sys

import uvloop

SESSIONS, OCTETS = 20, 10_240
CONTENT = b"Subject: yardstick\r\n\r\n" + (b"x" * 78 + b"\r\n") * (OCTETS // 80) + b".\r\n"
DIALOGUE = (b"EHLO bench\r\n", b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.org>\r\n", b"DATA\r\n", CONTENT)


async def carry(port: int, letters: int) -> None:
    """So many letters one after the other, each on a connection of its own as smtp-source does it."""
    for _ in range(letters):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await answer(reader, b"220")
        for words in DIALOGUE:
            writer.write(words)
            await answer(reader, b"354" if words == b"DATA\r\n" else b"250")
        writer.write(b"QUIT\r\n")
        await answer(reader, b"221")
        writer.close()


async def answer(reader: asyncio.StreamReader, code: bytes) -> None:
    """The last line of an answer, which must have this code."""
    line = await reader.readline()
    while line[3:4] == b"-":
        line = await reader.readline()
    if not line.startswith(code):
        raise SystemExit(f"the sink said {line!r}, not {code!r}")


async def main(port: int, letters: int) -> None:
    """All sessions at once."""
    await asyncio.gather(*(carry(port, letters // SESSIONS) for _ in range(SESSIONS)))


uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
