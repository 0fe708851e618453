"""The line to a relay: octets out, replies in, and one dialogue at a time over it (RFC 5321 section 4.2)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Generator, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

MAX_REPLY_OCTETS = 32 * 1024
"""Of one reply with all its lines; RFC 5321 section 4.5.3.1.5 promises 512 a line."""
SERVICE_CLOSING = 421
"""With this code the relay says that it closes the line, whatever it was asked (RFC 5321 section 3.8)."""
_REPLY_CODES = {b"%d" % code: code for code in range(200, 600)}
_SEPARATORS = frozenset((b" ", b"-", b""))
"""Between code and text: the last line, one of several, a code alone."""

T = TypeVar("T")


class Reply(NamedTuple):
    """One reply; the texts of its lines are joined by spaces, enhanced status codes among them."""

    code: int
    text: str


Dialogue = Generator[tuple[bytes, float], Reply, T]
"""Our half of a conversation: it yields octets to be written (or none) and for how many seconds the next reply may
take, and is sent that reply. When the line is lost ConnectionError is thrown in, and it has to return."""


class ReplyParser:
    """Makes replies of octets, the same ones however the network cuts them."""

    def __init__(self) -> None:
        self._buffer = b""
        self._texts: list[bytes] = []
        self._octets = 0

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that end in this data, in order; after them ValueError, in words, where it is no SMTP."""
        lines = (self._buffer + data).split(b"\n")
        self._buffer = lines.pop()
        for line in lines:
            if self._texts or line[3:4] == b"-":
                yield from self._parse_multiline(line)
            else:
                yield _parse_single_line(line)
        if self._octets + len(self._buffer) > MAX_REPLY_OCTETS:
            raise ValueError("the relay's reply has no end")

    def _parse_multiline(self, line: bytes) -> Iterator[Reply]:
        code, ends, text = _parse_line(line)
        self._octets += len(line)
        if self._octets > MAX_REPLY_OCTETS:
            raise ValueError("the relay's reply has no end")
        if not self._texts:
            self._code = code
        elif code != self._code:
            raise _not_smtp_error(line)
        self._texts.append(text)
        if ends:
            whole = b" ".join(self._texts)
            self._texts, self._octets = [], 0
            yield Reply(code, whole.decode("utf-8", "replace"))


@lru_cache(maxsize=256)  # a relay says few different lines, and says them all day
def _parse_single_line(line: bytes) -> Reply:
    if len(line) > MAX_REPLY_OCTETS:
        raise ValueError("the relay's reply has no end")
    code, _, text = _parse_line(line)
    return Reply(code, text.decode("utf-8", "replace"))


def _parse_line(line: bytes) -> tuple[int, bool, bytes]:
    """Code, whether it is a reply's last line, and text."""
    line = line.removesuffix(b"\r")
    code, mark = _REPLY_CODES.get(line[:3]), line[3:4]
    if code is None or mark not in _SEPARATORS:
        raise _not_smtp_error(line)
    return code, mark != b"-", line[4:]


def _not_smtp_error(line: bytes) -> ValueError:
    return ValueError(f"the relay does not speak SMTP: {one_line(line.decode('utf-8', 'replace'))}")


class SmtpProtocol(asyncio.Protocol):
    """Takes over an open transport, and advances a dialogue from within `data_received`; once `lost` it stays lost."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.lost_reason: str | None = None
        """Why nothing more can be said, in words."""
        self.lost_at = math.inf
        """When that was, on the loop's clock."""
        self.closed = asyncio.Event()
        """Set once the transport is closed, by whomever."""
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._replies = ReplyParser()
        self._dialogue: Dialogue[Any] | None = None
        self._result: asyncio.Future[Any] | None = None
        self._timeout_s = math.inf
        self._deadline = math.inf
        """When, on the loop's clock, the reply we wait for is too late."""
        self._timer: asyncio.TimerHandle | None = None
        """Wakes at the deadline or before: one timer is moved now and then, instead of one made for each reply."""
        self._timer_at = math.inf
        transport.set_protocol(self)

    @property
    def usable(self) -> bool:
        """Whether something can be said, as far as we have heard."""
        return self.lost_reason is None and not self._transport.is_closing()

    @property
    def busy(self) -> bool:
        """Whether a dialogue is being held."""
        return self._dialogue is not None

    def run_dialogue(self, dialogue: Dialogue[T]) -> asyncio.Future[T]:
        """Hold a dialogue: the future is what it returns or raises. ConnectionError before a lost line."""
        if not self.usable:
            raise ConnectionError(self.lost_reason or "the connection is closed")
        if self._dialogue is not None:
            raise RuntimeError("one dialogue at a time")
        result: asyncio.Future[T] = self._loop.create_future()
        self._dialogue, self._result = dialogue, result
        octets, self._timeout_s = next(dialogue)
        self._transport.write(octets)
        self._set_deadline()
        return result

    def abort(self, reason: str) -> None:
        """Let go of the line at once; what was not sent yet is dropped, and a dialogue ends."""
        if self.lost_reason is not None:
            return
        self.lost_reason, self.lost_at = reason, self._loop.time()
        self._transport.abort()
        if self._timer is not None:
            self._timer.cancel()
        if self._dialogue is not None:
            try:
                self._dialogue.throw(ConnectionError(reason))
            except StopIteration as end:
                self._end_dialogue(end.value)

    def data_received(self, data: bytes) -> None:
        asked = self._dialogue is not None
        try:
            for reply in self._replies.feed(data):
                # What came together with the answer that made us go on cannot be the answer to that.
                asked = self._handle_reply(reply, asked)
                if self.lost_reason is not None:
                    return
        except ValueError as trouble:
            self.abort(str(trouble))

    def eof_received(self) -> None:
        self.abort("the relay closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        self.abort(f"the connection broke: {exc}" if exc else "the relay closed the connection")
        self.closed.set()

    def _handle_reply(self, reply: Reply, asked: bool) -> bool:
        """Take a reply in; whether another that came with it was asked for, too."""
        if self._dialogue is not None and (asked or reply.code == SERVICE_CLOSING):
            asked = self._advance(self._dialogue, reply)
            if reply.code != SERVICE_CLOSING:
                return asked
        self.abort(f"the relay broke off: {reply.code} {one_line(reply.text)}")
        return False

    def _advance(self, dialogue: Dialogue[Any], reply: Reply) -> bool:
        """Whether the dialogue listens on without having written anything."""
        try:
            octets, self._timeout_s = dialogue.send(reply)
        except StopIteration as end:
            self._end_dialogue(end.value)
            return False
        except Exception as mistake:  # is for whom the result is, not for the loop
            self._end_dialogue(mistake)
            self.abort(f"we made a mistake: {mistake}")
            return False
        if octets:
            self._transport.write(octets)
        self._set_deadline()
        return not octets

    def _end_dialogue(self, value: object) -> None:
        result, self._dialogue, self._result = self._result, None, None
        if result is None or result.done():
            return
        if isinstance(value, Exception):
            result.set_exception(value)
        else:
            result.set_result(value)

    def _set_deadline(self) -> None:
        self._deadline = self._loop.time() + self._timeout_s
        if self._deadline < self._timer_at:
            self._set_timer(self._deadline)

    def _set_timer(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = moment
        self._timer = self._loop.call_at(moment, self._check_deadline)

    def _check_deadline(self) -> None:
        self._timer, self._timer_at = None, math.inf
        if self._dialogue is None:
            return
        if self._loop.time() < self._deadline:
            self._set_timer(self._deadline)
        else:
            self.abort(f"the relay did not answer within {self._timeout_s:g} s")


def one_line(text: str) -> str:
    """`text` on one line, without controls, cut to 500 characters."""
    printable = text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:500]
