"""Every private name of aiosmtpd and asyncio that the SMTP server uses, behind names of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

PRIVATE_NAMES: dict[type, tuple[str, ...]] = {
    SMTP: (
        "_create_envelope",
        "_create_session",
        "_getaddr",
        "_handle_client",
        "_handler_coroutine",
        "_reader",
        "_reset_timeout",
        "_smtp_methods",
        "_writer",
    ),
    asyncio.StreamReaderProtocol: ("_over_ssl", "_transport"),
    asyncio.StreamReader: ("_buffer", "_transport"),
    asyncio.StreamWriter: ("_transport",),
}
"""What must exist in these classes; tests/entrypoints/smtp/test_aiosmtpd_private.py looks for it."""

_COMMANDS = ("EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "VRFY", "EXPN", "HELP", "QUIT", "STARTTLS")


class AiosmtpdSession(SMTP):
    """aiosmtpd's session, extended by subclasses through `run_session` and `parse_path`."""

    session: Session
    envelope: Envelope
    transport: asyncio.Transport | None
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    def __dir__(self) -> list[str]:
        # aiosmtpd looks for commands among all names of the object, several times for each connection.
        return [f"smtp_{command}" for command in _COMMANDS if hasattr(type(self), f"smtp_{command}")]

    @property
    def reader(self) -> asyncio.StreamReader:
        """What the client sends."""
        return self._reader

    @property
    def writer(self) -> asyncio.StreamWriter:
        """What the client is sent."""
        return self._writer

    def find_command(self, name: str) -> Callable[[str | None], Awaitable[None]] | None:
        """The method of a command (upper case), or None if it is not supported."""
        return self._smtp_methods.get(name)

    def start_transaction(self) -> None:
        """Forget the envelope and begin an empty one."""
        self.envelope = self._create_envelope()

    def cancel_session_task(self) -> None:
        """Let the session's task end at its next wait."""
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    def lose_connection(self, error: Exception | None) -> None:
        """End the session without aiosmtpd's own connection_lost, which would cancel a message that is being stored."""
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self.cancel_session_task()
        self.transport = None

    def receive_eof(self) -> bool | None:
        """Note the end of the stream without aiosmtpd's own eof_received."""
        return asyncio.StreamReaderProtocol.eof_received(self)

    def restart_over_tls(self, transport: asyncio.Transport | None) -> None:
        """Continue on a TLS transport with a new session (RFC 3207 section 4.2)."""
        # As asyncio.StreamWriter.start_tls does, which leaves the reader with the old transport.
        reader, writer = cast("Any", self._reader), cast("Any", self._writer)
        self.transport = self._transport = reader._transport = writer._transport = transport
        self._over_ssl = True
        self.envelope, self.session = self._create_envelope(), self._create_session()
        self.session.ssl = {"since": "STARTTLS"}

    async def run_session(self) -> None:
        """The conversation from greeting to end."""
        raise NotImplementedError

    def parse_path(self, arg: str) -> tuple[str | None, str | None]:
        """The address and the parameters after `MAIL FROM:` or `RCPT TO:`; None for what is malformed."""
        raise NotImplementedError

    async def _handle_client(self) -> None:
        await self.run_session()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        return self.parse_path(arg)

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Start no timer: SessionTimeouts is ours."""


def put_back(reader: asyncio.StreamReader, octets: bytes) -> None:
    """Put octets in front of what was not read yet."""
    cast("Any", reader)._buffer[:0] = octets


def drop_unread(reader: asyncio.StreamReader) -> None:
    """Drop what was received and not read yet."""
    cast("Any", reader)._buffer.clear()
