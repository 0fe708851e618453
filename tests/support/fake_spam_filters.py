"""Spam filters for tests, on loopback: a spamd and an rspamd that answer as they are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

SPAMD_REPORT = """\
Spam detection software, running on the system "mx.example.org",
has identified this incoming email as possible spam.

Content preview:  Dear Friend

Content analysis details:   ({score} points, 5.0 required)

 pts rule name              description
---- ---------------------- --------------------------------------------------
{rules}
"""


@dataclass
class FakeFilter:
    """A filter: its answer, and what it was shown."""

    answer: bytes | None = None
    """None: silence."""
    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    """The requests without the letters."""
    letters: list[bytes] = field(default_factory=list)


def spamd_answer(score: float, **rules: float) -> bytes:
    """What spamd says to REPORT."""
    table = "\n".join(f"{points:4.1f} {name:<22} a rule" for name, points in rules.items())
    body = SPAMD_REPORT.format(score=score, rules=table).encode()
    verdict = "True" if score >= 5 else "False"
    head = f"SPAMD/1.1 0 EX_OK\r\nContent-length: {len(body)}\r\nSpam: {verdict} ; {score} / 5.0\r\n\r\n"
    return head.encode() + body


def rspamd_answer(score: float, **symbols: float) -> bytes:
    """What rspamd says to /checkv2."""
    found = {name: {"name": name, "score": points, "description": "a rule"} for name, points in symbols.items()}
    body = json.dumps({"score": score, "required_score": 15.0, "action": "no action", "symbols": found}).encode()
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def fake_spamd(answer: bytes | None) -> AsyncIterator[FakeFilter]:
    """A spamd that says this to everything."""
    async with _listening(FakeFilter(answer), _read_spamc) as one:
        yield one


@asynccontextmanager
async def fake_rspamd(answer: bytes | None) -> AsyncIterator[FakeFilter]:
    """An rspamd that says this to everything."""
    async with _listening(FakeFilter(answer), _read_http) as one:
        yield one


async def _read_spamc(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    return head, await reader.read(-1)


async def _read_http(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    [length] = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return head, await reader.readexactly(length)


@asynccontextmanager
async def _listening(
    one: FakeFilter, read: Callable[[asyncio.StreamReader], Awaitable[tuple[bytes, bytes]]]
) -> AsyncIterator[FakeFilter]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, letter = await read(reader)
        one.heads.append(head)
        one.letters.append(letter)
        if one.answer is None:
            await reader.read()
        else:
            writer.write(one.answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
