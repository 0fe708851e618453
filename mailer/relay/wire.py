"""The line to a relay: commands out, replies in, in order (RFC 5321 section 4.2)."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass

MOST_OCTETS = 32 * 1024
"""Of one reply with all its lines; RFC 5321 section 4.5.3.1.5 promises 512 a line."""
CLOSING = 421
"""With this code the relay says that it closes the line, whatever it was asked (RFC 5321 section 3.8)."""
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; the texts of its lines are joined by spaces, enhanced status codes among them."""

    code: int
    text: str


class Wire(asyncio.Protocol):
    """Takes over an open transport. Once `lost` it stays lost; replies that came before are still read first."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.lost: str | None = None
        """Why nothing more can be asked, in words."""
        self.owed = 0
        """Replies asked for that have not come yet."""
        self.closed = asyncio.Event()
        """Set once the transport is closed, by whomever."""
        self._transport = transport
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._rest = b""
        self._said: list[bytes] = []
        self._said_octets = 0
        transport.set_protocol(self)

    @property
    def usable(self) -> bool:
        """Whether something can be asked, as far as we have heard."""
        return self.lost is None and not self._transport.is_closing()

    def ask(self, octets: bytes, *, replies: int) -> None:
        """Give the transport commands that will be answered by so many replies; ConnectionError before a lost line."""
        if not self.usable:
            raise ConnectionError(self.lost or "the connection is closed")
        self.owed += replies
        self._transport.write(octets)

    async def reply(self, timeout_s: float) -> Reply:
        """The next reply. ConnectionError says why none will come: silence for `timeout_s` loses the line too."""
        if not self._replies and self.lost is None:
            await self._wait(timeout_s)
        if not self._replies:
            raise ConnectionError(self.lost)
        return self._replies.popleft()

    def lose(self, reason: str) -> None:
        """Let go of the line at once; what was not sent yet is dropped."""
        if self.lost is None:
            self.lost = reason
            self._transport.abort()
            self._wake()

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._hear(line.removesuffix(b"\r"))
        if self._said_octets + len(self._rest) > MOST_OCTETS:
            self.lose("the relay's reply has no end")

    def eof_received(self) -> None:
        self.lose("the relay closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        self.lose(f"the connection broke: {exc}" if exc else "the relay closed the connection")
        self.closed.set()

    def _hear(self, line: bytes) -> None:
        match = _LINE.fullmatch(line)
        if match is None or (self._said and not self._said[0].startswith(match[1])):
            self.lose(f"the relay does not speak SMTP: {one_line(line.decode('utf-8', 'replace'))}")
            return
        self._said.append(line)
        self._said_octets += len(line)
        if match[2] != b"-":
            text = b" ".join(said[4:] for said in self._said).decode("utf-8", "replace")
            self._said, self._said_octets = [], 0
            self._take(Reply(int(match[1]), text))

    def _take(self, reply: Reply) -> None:
        if self.lost is not None:
            return
        asked = self.owed > 0
        if asked:
            self.owed -= 1
            self._replies.append(reply)
            self._wake()
        if not asked or reply.code == CLOSING:
            self.lose(f"the relay broke off: {reply.code} {one_line(reply.text)}")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, timeout_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(timeout_s, self.lose, f"the relay did not answer within {timeout_s:g} s")
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None


def one_line(text: str) -> str:
    """`text` on one line, without controls, cut to 500 characters."""
    printable = text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:500]
