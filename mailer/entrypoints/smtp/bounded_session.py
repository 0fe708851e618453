"""BoundedSession: one SMTP connection with limits on time, line length, commands and errors."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import Any, AnyStr, NoReturn, cast

from aiosmtpd.proxy_protocol import V2_CMD, get_proxy

from mailer.entrypoints.smtp.aiosmtpd_private import AiosmtpdSession
from mailer.entrypoints.smtp.connection_limits import ConnectionLimits, is_in_networks
from mailer.entrypoints.smtp.handler import SmtpHandler
from mailer.entrypoints.smtp.session_timeouts import SessionTimeouts

_CHUNK_OCTETS = 65_536
"""Longer lines are read in chunks; the stream never buffers more than twice this."""
_MOST_COMMAND_OCTETS = 2048
"""RFC 5321 section 4.5.3.1.4, with room for parameters."""
_FLUSH_TIMEOUT_S = 5.0
"""How long a client may take to read our last reply."""
_MOST_UNPRODUCTIVE, _MOST_ERRORS = 1000, 100
"""Commands since the last message, and 4xx and 5xx replies; our own mail servers may have more."""
_HTTP = {b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"DELETE", b"PATCH", b"TRACE", b"PRI"}
_NON_SMTP_COMMANDS = _HTTP | {b"PROXY"}
"""Browsers that a web page sent here, and clients that send a PROXY header without being a proxy of ours."""


class BoundedSession(AiosmtpdSession):
    """One connection from its begin to its end; subclasses add the commands."""

    tls_context: Any
    """aiosmtpd only asks whether there is one."""
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
        self._storing_message = False
        self._unproductive_commands = self._error_replies = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the session, or answer 421 and close if there are too many connections."""
        # A dual-stack socket shows IPv4 clients as ::ffff:192.0.2.7.
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
        """Note the activity and pass the octets on."""
        self._timeouts.note_activity()
        super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        """End the session; a message that is being stored is stored to the end."""
        self._timeouts.stop()
        self._limits.forget(self)
        self.lose_connection(error)
        if not self.closed.done():
            self.closed.set_result(None)

    def eof_received(self) -> bool | None:
        """Go on reading what is buffered: the client may have closed right after its final dot."""
        return self.receive_eof()

    def close_with_reply(self, reply: str = "421 4.3.2 Closing for now, try again later") -> None:
        """End the session: now, or after the reply to a message that is being stored."""
        if not self._storing_message:
            self._hang_up(reply)

    def abort(self) -> None:
        """Close the connection without sending what is still buffered."""
        if self.transport is not None:
            self.transport.abort()

    async def push(self, status: AnyStr) -> None:
        """Send a reply; then hang up on a client with too many errors, and on every client if the server is closing."""
        reply = status if isinstance(status, bytes) else status.encode("ascii", "replace")
        self.writer.write(reply + b"\r\n")
        await self.writer.drain()
        self._error_replies += reply[:1] in b"45"
        if self._error_replies >= _MOST_ERRORS and not self._limits.is_own(self.client):
            self._hang_up("421 4.7.0 Too many errors")
            await asyncio.sleep(0)
        elif self._limits.closing:
            self.close_with_reply()

    async def run_session(self) -> None:
        """Greet the client and run its commands until one of us closes the connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            self._timeouts.expect_command()
            self.idle_since = self.loop.time()
            await self._read_proxy_header()
            await self.push(f"220 {self.hostname} mailer")
            first = await self.reader.readexactly(1)
            # Commands begin with a letter; anything else is TLS, an unexpected binary PROXY header, or noise.
            line = first + await self._read_command_line() if first.isalpha() else b"PROXY"
            while True:
                await self._run_command(line)
                line = await self._read_command_line()
        if self.transport is not None:
            self.transport.close()

    async def _read_proxy_header(self) -> None:
        """Take the client's address from the PROXY header of a load balancer; ConnectionError if it sends none."""
        config = self._handler.config
        if is_in_networks(self.client, config.proxies):
            proxy_header = await get_proxy(self.reader)
            if not proxy_header:
                self.abort()
                raise ConnectionAbortedError
            # LOCAL is the load balancer's own health check.
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
            return await self.reader.readuntil()
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
        method = self.find_command(command.decode("ascii", "replace"))
        arg = rest.strip().decode("ascii", "replace")
        if method is None or len(line) > _MOST_COMMAND_OCTETS or not (arg.isascii() and arg.isprintable()):
            await self.push("500 5.5.2 This is no command of ours")
            return
        try:
            await method(arg or None)
        except (ConnectionError, asyncio.IncompleteReadError):
            raise
        except Exception as error:  # the client may try again, and the log says what happened
            await self.push(await self._handler.handle_exception(error))

    def _on_timeout(self) -> None:
        if self.transport is None or self.transport.is_closing():
            self.abort()
        else:
            self._hang_up("421 4.4.2 Timeout")

    async def _hang_up_now(self, reply: str = "") -> NoReturn:
        self._hang_up(reply)
        raise ConnectionAbortedError

    def _hang_up(self, reply: str = "") -> None:
        """Send a last reply, close the connection, and let the session's task end at its next wait."""
        if self.transport is not None and not self.transport.is_closing():
            if reply:
                self.writer.write(f"{reply}\r\n".encode("ascii"))
            self.transport.close()
            self._timeouts.expect_end(_FLUSH_TIMEOUT_S)
        self.cancel_session_task()
