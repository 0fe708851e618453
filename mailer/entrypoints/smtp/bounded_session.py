"""One connection at the mail door, whatever is said on it: aiosmtpd's session, with bounds."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import Any, AnyStr, NoReturn, cast

from aiosmtpd.proxy_protocol import V2_CMD, get_proxy
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailer.entrypoints.smtp.connection_limits import ConnectionLimits, is_in_networks
from mailer.entrypoints.smtp.handler import SmtpHandler
from mailer.entrypoints.smtp.session_timeouts import SessionTimeouts

_CHUNK_OCTETS = 65_536
"""Longer lines are taken from the stream in pieces; it never buffers more than twice this."""
_MOST_COMMAND_OCTETS = 2048
"""Octets: RFC 5321 section 4.5.3.1.4, with room for parameters."""
_FLUSH_TIMEOUT_S = 5.0
"""How long a client may take to fetch our last words."""
_MOST_UNPRODUCTIVE, _MOST_REFUSALS = 1000, 100
"""Commands since the last mail, and our 4xx and 5xx replies; a mail server of ours may have more."""
_COMMANDS = ("EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "VRFY", "EXPN", "HELP", "QUIT", "STARTTLS")
_HTTP = {b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"DELETE", b"PATCH", b"TRACE", b"PRI"}
_NON_SMTP_COMMANDS = _HTTP | {b"PROXY"}
"""Browsers that somebody sent here, and who would tell us unasked where they come from."""


class BoundedSession(SMTP):
    """From the connection to its end; the commands themselves are a subclass's."""

    session: Session
    envelope: Envelope
    transport: asyncio.Transport | None
    tls_context: Any
    """aiosmtpd only asks whether there is one."""
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    line_length_limit = _CHUNK_OCTETS

    def __init__(self, handler: SmtpHandler, limits: ConnectionLimits, loop: asyncio.AbstractEventLoop) -> None:
        config = handler.config
        super().__init__(
            handler, data_size_limit=config.most_octets, hostname=config.hostname, ident="mailer", loop=loop
        )
        self.closed: asyncio.Future[None] = loop.create_future()
        self.client, self.idle_since = "", cast("float | None", None)
        self.tls_context = config.certificate
        self._handler, self._limits = handler, limits
        self._timeouts = SessionTimeouts(loop, config.timeout_s, self._on_timeout)
        self._storing_mail = False
        self._unproductive_commands = self._error_replies = 0

    def __dir__(self) -> list[str]:
        # aiosmtpd looks for commands among all our names, several times for each connection.
        return [f"smtp_{command}" for command in _COMMANDS if hasattr(type(self), f"smtp_{command}")]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the session, unless the house is full."""
        # A socket for both shows IPv4 clients as ::ffff:192.0.2.7.
        self.client = str((transport.get_extra_info("peername") or ("",))[0]).removeprefix("::ffff:")
        reply = self._limits.admit(self)
        if reply is None:
            super().connection_made(transport)
            return
        stream = cast("asyncio.Transport", transport)
        stream.set_protocol(asyncio.Protocol())
        stream.write(f"{reply}\r\n".encode("ascii"))
        stream.close()

    def data_received(self, data: bytes) -> None:
        """Something came, be it a single octet."""
        self._timeouts.note_activity()
        super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        """End the session; a mail that is just being written down is not stopped by it."""
        self._timeouts.stop()
        self._limits.forget(self)
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
        self.transport = None
        if not self.closed.done():
            self.closed.set_result(None)

    def eof_received(self) -> bool | None:
        """Read on to the end: the client may have hung up right after its final dot."""
        return asyncio.StreamReaderProtocol.eof_received(self)

    def close_with_reply(self, reply: str = "421 4.3.2 Closing for now, try again later") -> None:
        """End the session: now, or after the answer to a mail that is just being written down."""
        if not self._storing_mail:
            self._hang_up(reply)

    def abort(self) -> None:
        """Drop the connection, last words or not."""
        if self.transport is not None:
            self.transport.abort()

    async def push(self, status: AnyStr) -> None:
        """Send a reply; then hang up on who was refused too often, and on everyone when the door closes."""
        reply = status if isinstance(status, bytes) else status.encode("ascii", "replace")
        self._writer.write(reply + b"\r\n")
        await self._writer.drain()
        self._error_replies += reply[:1] in b"45"
        if self._error_replies >= _MOST_REFUSALS and not self._limits.is_own(self.client):
            self._hang_up("421 4.7.0 Too many errors")
            await asyncio.sleep(0)
        elif self._limits.closing:
            self.close_with_reply()

    async def _handle_client(self) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            self._timeouts.expect_command()
            self.idle_since = self.loop.time()
            await self._read_proxy_header()
            await self.push(f"220 {self.hostname} mailer")
            first = await self._reader.readexactly(1)
            # No mail client begins otherwise: this is TLS, or a binary PROXY header nobody asked for, or noise.
            line = first + await self._read_command_line() if first.isalpha() else b"PROXY"
            while True:
                await self._run_command(line)
                line = await self._read_command_line()
        if self.transport is not None:
            self.transport.close()

    async def _read_proxy_header(self) -> None:
        """Let a load balancer tell whom it brings; ConnectionError where it does not."""
        config = self._handler.config
        if is_in_networks(self.client, config.proxies):
            proxy_header = await get_proxy(self._reader)
            if not proxy_header:
                self.abort()
                raise ConnectionAbortedError
            # LOCAL: the load balancer itself looks whether we are there.
            if proxy_header.command != V2_CMD.LOCAL and isinstance(proxy_header.src_addr, IPv4Address | IPv6Address):
                self.client = str(proxy_header.src_addr)
                if (refusal := self._limits.admit(self)) is not None:
                    await self._hang_up_now(refusal)
        if not self._limits.is_own(self.client):
            self._timeouts.limit_session(config.session_s)

    async def _read_command_line(self) -> bytes:
        self._timeouts.expect_command()
        self.idle_since = self.loop.time()
        try:
            return await self._reader.readuntil()
        except asyncio.LimitOverrunError:
            await self._hang_up_now("500 5.5.2 Line too long")
        finally:
            self.idle_since = None
        raise AssertionError("unreachable")

    async def _run_command(self, line: bytes) -> None:
        word, _, rest = line.strip().partition(b" ")
        command = word.upper()
        if command in _NON_SMTP_COMMANDS:
            await self._hang_up_now()
        self._unproductive_commands += 1
        if self._unproductive_commands > _MOST_UNPRODUCTIVE and not self._limits.is_own(self.client):
            await self._hang_up_now("421 4.7.0 Too many commands")
        method = self._smtp_methods.get(command.decode("ascii", "replace"))
        arg = rest.strip().decode("ascii", "replace")
        if method is None or len(line) > _MOST_COMMAND_OCTETS or not (arg.isascii() and arg.isprintable()):
            await self.push("500 5.5.2 This is no command of ours")
            return
        try:
            await method(arg or None)
        except (ConnectionError, asyncio.IncompleteReadError):
            raise
        except Exception as error:  # whatever it was, the client is told to come again, and the log what it was
            await self.push(await self._handler.handle_exception(error))

    def _reset_timeout(self, duration: float | None = None) -> None:
        """aiosmtpd's timer: ours is another."""

    def _on_timeout(self) -> None:
        if self.transport is None or self.transport.is_closing():
            self.abort()
        else:
            self._hang_up("421 4.4.2 Timeout")

    async def _hang_up_now(self, reply: str = "") -> NoReturn:
        self._hang_up(reply)
        raise ConnectionAbortedError

    def _hang_up(self, reply: str = "") -> None:
        """Say why, close, and let the session's task end at its next wait."""
        if self.transport is not None and not self.transport.is_closing():
            if reply:
                self._writer.write(f"{reply}\r\n".encode("ascii"))
            self.transport.close()
            self._timeouts.expect_end(_FLUSH_TIMEOUT_S)
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
