"""One client at the mail door: aiosmtpd's session with bounds on time, octets, commands and errors."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import AnyStr, cast

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, syntax

from mailer.entrypoints.doorkeeper import NULL_SENDER, TRY_LATER, Doorkeeper

_PATH = re.compile(r'<(?:@[^<>\s":]+:)?((?:"(?:[^"\\]|\\.)*"|[^<>"\s\x00-\x1f\x7f])*)>(?:\s+(.*))?')
"""RFC 5321 section 4.1.2, loosely: a source route is dropped, parameters follow a space."""
_END = b"\r\n.\r\n"

_PIECE_OCTETS = 65_536
"""Longer lines are taken from the stream in pieces; it never buffers more than twice this."""
_PATIENCE_OCTETS = 2**20
"""How much beyond our limit is read and dropped, so that a civil client hears 552 at its final dot."""
_MAIL_TAKES = 5
"""A whole mail may take this many times as long as one command."""
_MOST_COMMANDS, _MOST_REFUSALS = 1000, 100
"""In one session: of each command, and of our 4xx and 5xx replies."""
_FLUSH_S = 5.0
"""How long a client may take to fetch our last words."""


@dataclass(kw_only=True, slots=True)
class Guests:
    """The sessions that are open."""

    most: int
    leaving: bool = False
    """The door closes: nobody comes in, and whoever has had an answer goes."""
    sessions: set[IntakeSession] = field(default_factory=set)


class IntakeSession(SMTP):
    """One connection, with what aiosmtpd leaves open closed."""

    line_length_limit = _PIECE_OCTETS

    def __init__(self, keeper: Doorkeeper, guests: Guests, loop: asyncio.AbstractEventLoop) -> None:
        door = keeper.door
        super().__init__(
            keeper,
            data_size_limit=door.most_octets,
            hostname=door.hostname,
            ident="mailer",
            timeout=door.timeout_s,
            command_call_limit=_MOST_COMMANDS,
            loop=loop,
        )
        # aiosmtpd keeps these on the class, where each EHLO of any client raises them for all.
        self.command_size_limits = defaultdict(lambda: self.command_size_limit)
        self.gone: asyncio.Future[None] = loop.create_future()
        self._guests = guests
        self._answering = False
        self._refusals = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the session, unless the house is full."""
        if not self._guests.leaving and len(self._guests.sessions) < self._guests.most:
            self._guests.sessions.add(self)
            super().connection_made(transport)
            return
        stream = cast("asyncio.Transport", transport)
        stream.set_protocol(asyncio.Protocol())
        stream.write(b"421 4.3.2 Too many connections, try again later\r\n")
        stream.close()

    def connection_lost(self, error: Exception | None) -> None:
        """End the session; a mail that is just being written down is not stopped by it."""
        super().connection_lost(error)
        self._guests.sessions.discard(self)
        self.gone.set_result(None)

    def eof_received(self) -> bool | None:
        """Read on to the end: the client may have hung up right after its final dot."""
        return asyncio.StreamReaderProtocol.eof_received(self)

    def dismiss(self) -> None:
        """End the session: now, or after the answer to a mail that is just being written down."""
        if not self._answering:
            self._hang_up("421 4.3.2 Closing for now, try again later")

    def abort(self) -> None:
        """Drop the connection, last words or not."""
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()

    async def handle_exception(self, error: Exception) -> str:
        """The reply to a command that failed; the end of the stream ends the session."""
        if isinstance(error, asyncio.IncompleteReadError):
            self._hang_up()
            return TRY_LATER
        return str(await super().handle_exception(error))

    async def push(self, status: AnyStr) -> None:
        """Send a reply; then hang up on who was refused too often, and on everyone when the door closes."""
        await super().push(status)
        self._refusals += status[:1] in {"4", "5", b"4", b"5"}
        if self._refusals >= _MOST_REFUSALS:
            self._hang_up("421 4.7.0 Too many errors")
            await asyncio.sleep(0)
        elif self._guests.leaving:
            self.dismiss()

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        """Take one mail in; only CRLF.CRLF ends it (RFC 5321 section 4.1.1.4)."""
        if self.envelope is None or not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        self._reset_timeout(self._timeout_duration * _MAIL_TAKES)
        raw = await self._read_mail()
        if raw is None:
            await self.push("552 5.3.4 Too much mail data")
            self._hang_up()
            return
        self.envelope.original_content = raw
        self._answering = True
        status = await self._call_handler_hook("DATA")
        self._answering = False
        self.envelope = self._create_envelope()
        await self.push(status)
        self._reset_timeout()

    async def _read_mail(self) -> bytes | None:
        """The mail as it was before its dots were doubled, or None where it is larger than we take."""
        limit = len(_END) + (self.data_size_limit or 0)
        raw, dropped = bytearray(b"\r\n"), 0
        while not raw.endswith(_END) and dropped <= limit + _PATIENCE_OCTETS:
            try:
                raw += await self._reader.readuntil(_END[2:])
            except asyncio.LimitOverrunError as overrun:
                raw += await self._reader.read(overrun.consumed)
            if len(raw) + dropped > limit:
                dropped += len(raw) - len(_END)
                del raw[: -len(_END)]
        return None if dropped else bytes(raw[: 2 - len(_END)]).replace(b"\r\n.", b"\r\n")[2:]

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # The standard library's parser, which aiosmtpd asks, raises errors of all sorts on garbage.
        path = _PATH.fullmatch(arg)
        return (path[1] or NULL_SENDER, path[2] or "") if path else (None, None)

    def _timeout_cb(self) -> None:
        if self._answering:
            self._reset_timeout()
        elif self.transport is None or self.transport.is_closing():
            self.abort()
        else:
            self._hang_up("421 4.4.2 Timeout")

    def _hang_up(self, reply: str = "") -> None:
        """Say why, close, and let the session's task end at its next wait."""
        if self.transport is not None and not self.transport.is_closing():
            if reply:
                self._writer.write(f"{reply}\r\n".encode("ascii"))
            self.transport.close()
            self._reset_timeout(_FLUSH_S)
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    async def _handle_client(self) -> None:
        with suppress(ConnectionError):
            await super()._handle_client()


class LmtpSession(IntakeSession, LMTP):
    """The same over LMTP: each accepted recipient gets a reply of its own after the dot (RFC 2033 section 4.2)."""

    _owed = 1

    async def push(self, status: AnyStr) -> None:
        """Send a reply, after a mail once for each of its recipients."""
        reply = status if isinstance(status, bytes) else status.encode("ascii")
        times, self._owed = self._owed, 1
        if reply.startswith(b"354") and self.envelope is not None:
            self._owed = len(self.envelope.rcpt_tos)
        await super().push(b"\r\n".join([reply] * times))
