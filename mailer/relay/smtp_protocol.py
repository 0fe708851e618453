"""SmtpProtocol: the asyncio protocol of a relay connection, one dialogue at a time (RFC 5321 section 4.2)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Generator, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

MAX_REPLY_OCTETS = 32 * 1024
"""The longest reply, all its lines together; RFC 5321 section 4.5.3.1.5 allows 512 octets a line."""
SERVICE_CLOSING = 421
"""The relay closes the connection, whatever the command was (RFC 5321 section 3.8)."""
_REPLY_CODES = {b"%d" % code: code for code in range(200, 600)}
_SEPARATORS = frozenset((b" ", b"-", b""))
"""Between code and text: on the last line, on an earlier line, and after a code alone."""

T = TypeVar("T")


class Reply(NamedTuple):
    """One reply; the texts of its lines are joined by spaces, enhanced status codes among them."""

    code: int
    text: str


Dialogue = Generator[tuple[bytes, float], Reply, T]
"""The client side of an SMTP exchange, as a generator: it yields octets to write (may be empty) and the seconds to wait
for the next reply, and gets that reply. ConnectionError is thrown in when the connection is lost; it then returns."""


class ReplyParser:
    """Parses octets into replies, however the network splits them."""

    def __init__(self) -> None:
        self._buffer = b""
        self._texts: list[bytes] = []
        self._octets = 0

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Yield the replies that end in this data, in order. Raises ValueError after them if the rest is not SMTP."""
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


@lru_cache(maxsize=256)  # a relay repeats few different lines
def _parse_single_line(line: bytes) -> Reply:
    if len(line) > MAX_REPLY_OCTETS:
        raise ValueError("the relay's reply has no end")
    code, _, text = _parse_line(line)
    return Reply(code, text.decode("utf-8", "replace"))


def _parse_line(line: bytes) -> tuple[int, bool, bytes]:
    """Return the code, whether this is the reply's last line, and the text."""
    line = line.removesuffix(b"\r")
    code, separator = _REPLY_CODES.get(line[:3]), line[3:4]
    if code is None or separator not in _SEPARATORS:
        raise _not_smtp_error(line)
    return code, separator != b"-", line[4:]


def _not_smtp_error(line: bytes) -> ValueError:
    return ValueError(f"the relay does not speak SMTP: {one_line(line.decode('utf-8', 'replace'))}")


class SmtpProtocol(asyncio.Protocol):
    """Takes over an open transport and advances a dialogue from within `data_received`."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.lost_reason: str | None = None
        """Why the connection is lost; None while it is not. Once lost it stays lost."""
        self.lost_at = math.inf
        """When it was lost, in the loop's time."""
        self.closed = asyncio.Event()
        """Set when the transport is closed, by either side."""
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._replies = ReplyParser()
        self._dialogue: Dialogue[Any] | None = None
        self._result: asyncio.Future[Any] | None = None
        self._timeout_s = math.inf
        self._deadline = math.inf
        """In the loop's time: when the awaited reply is too late."""
        self._timer: asyncio.TimerHandle | None = None
        """Fires at the deadline or before; moving one timer now and then is cheaper than one for each reply."""
        self._timer_at = math.inf
        transport.set_protocol(self)

    @property
    def usable(self) -> bool:
        """Whether a dialogue can be started, as far as we know."""
        return self.lost_reason is None and not self._transport.is_closing()

    @property
    def busy(self) -> bool:
        """Whether a dialogue is running."""
        return self._dialogue is not None

    def run_dialogue(self, dialogue: Dialogue[T]) -> asyncio.Future[T]:
        """Start a dialogue; the future gets its result. Raises ConnectionError if the connection is lost."""
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
        """Close the connection at once; unsent octets are dropped, and a running dialogue ends."""
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
        is_expected = self._dialogue is not None
        try:
            for reply in self._replies.feed(data):
                # A reply that arrived together with the one that made us write cannot be the reply to what we wrote.
                is_expected = self._handle_reply(reply, is_expected)
                if self.lost_reason is not None:
                    return
        except ValueError as error:
            self.abort(str(error))

    def eof_received(self) -> None:
        self.abort("the relay closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        self.abort(f"the connection broke: {exc}" if exc else "the relay closed the connection")
        self.closed.set()

    def _handle_reply(self, reply: Reply, is_expected: bool) -> bool:
        """Pass a reply to the dialogue; returns whether the next reply in the same data may be expected."""
        if self._dialogue is not None and (is_expected or reply.code == SERVICE_CLOSING):
            is_expected = self._advance(self._dialogue, reply)
            if reply.code != SERVICE_CLOSING:
                return is_expected
        self.abort(f"the relay broke off: {reply.code} {one_line(reply.text)}")
        return False

    def _advance(self, dialogue: Dialogue[Any], reply: Reply) -> bool:
        """Advance the dialogue; returns whether it waits for another reply without writing."""
        try:
            octets, self._timeout_s = dialogue.send(reply)
        except StopIteration as end:
            self._end_dialogue(end.value)
            return False
        except Exception as error:  # belongs to whoever awaits the result, not to the loop
            self._end_dialogue(error)
            self.abort(f"we made a mistake: {error}")
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
    """The text on one line, without control characters, cut to 500 characters."""
    printable = text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:500]
