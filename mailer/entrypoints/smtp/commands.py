"""The commands of SMTP (RFC 5321) and LMTP (RFC 2033)."""

from __future__ import annotations

import re
from typing import AnyStr

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import syntax

from mailer.entrypoints.smtp.aiosmtpd_private import drop_unread
from mailer.entrypoints.smtp.bounded_session import BoundedSession
from mailer.entrypoints.smtp.data_reader import read_data
from mailer.entrypoints.smtp.handler import NULL_SENDER, REFUSAL_REPLIES

_PATH = re.compile(r'<((?:@[^<>\s":]+:)?(?:"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*"|[^<>"\s\x00-\x1f\x7f])*)>(?:\s+(.*))?')
"""RFC 5321 section 4.1.2, leniently: an address, perhaps after a source route; parameters follow a space."""


class SmtpSession(BoundedSession):
    """An SMTP session: any number of messages, one after the other."""

    @syntax("EHLO hostname")
    async def smtp_EHLO(self, hostname: str | None) -> None:  # noqa: N802
        """List our extensions (RFC 5321 section 4.1.1.1)."""
        if not hostname:
            await self.push("501 5.5.4 Syntax: EHLO hostname")
            return
        self.start_transaction()
        self.session.extended_smtp, self.session.host_name = True, hostname
        extensions = [self.hostname, f"SIZE {self.data_size_limit}", "8BITMIME", "PIPELINING"]
        extensions += ["STARTTLS"] if self.tls_context and not self.session.ssl else []
        await self.push("\r\n".join([*(f"250-{one}" for one in extensions), "250 HELP"]))

    @syntax("STARTTLS", when="tls_context")
    async def smtp_STARTTLS(self, arg: str | None) -> None:  # noqa: N802
        """Switch to TLS and forget everything the client has said (RFC 3207 section 4.2)."""
        certificate = self._handler.config.certificate
        if arg or certificate is None or self.session.ssl:
            await self.push("501 5.5.4 Syntax: STARTTLS" if arg else "503 5.5.1 Not now")
            return
        context, plain_transport = await certificate.context(), self.transport
        if plain_transport is None:
            return
        self._timeouts.suspend()
        self.writer.write(b"220 2.0.0 Go ahead\r\n")
        # Plain text after the command may be injected: it must not be taken for what comes over TLS.
        drop_unread(self.reader)
        try:
            transport = await self.loop.start_tls(
                plain_transport, self, context, server_side=True, ssl_handshake_timeout=self._handler.config.timeout_s
            )
        except OSError as error:
            self.abort()
            raise ConnectionAbortedError from error
        self.restart_over_tls(transport)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        """Receive one message."""
        if arg or self.envelope is None or not self.envelope.rcpt_tos:
            await self.push("501 5.5.4 Syntax: DATA" if arg else "503 5.5.1 Need RCPT command")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        self._timeouts.expect_mail()
        stream = self._handler.open_message_stream(self.envelope)
        with stream.discard_on_error():
            ended = await read_data(self.reader, stream)
        if stream.refusal is None:
            self._storing_message = True
            self._timeouts.suspend()
            status = await self._handler.accept_message(stream, self.client, self.session.host_name)
            self._storing_message = False
        self.start_transaction()
        await self.push(REFUSAL_REPLIES[stream.refusal] if stream.refusal else status)
        if not ended:
            await self._hang_up_now()
        self._unproductive_commands = 0

    def parse_path(self, arg: str) -> tuple[str | None, str | None]:
        """As AiosmtpdSession; aiosmtpd's own parser raises many kinds of errors for malformed input."""
        path = _PATH.fullmatch(arg)
        return (path[1] or NULL_SENDER, path[2] or "") if path else (None, None)


class LmtpSession(SmtpSession, LMTP):
    """An LMTP session: after a message each accepted recipient gets its own reply (RFC 2033 section 4.2)."""

    _replies_owed = 1

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, hostname: str | None) -> None:  # noqa: N802
        """List our extensions."""
        await super().smtp_EHLO(hostname)

    async def smtp_EHLO(self, _hostname: str | None) -> None:  # noqa: N802
        """Refuse: LMTP has LHLO instead (RFC 2033 section 4.1)."""
        await self.push("500 5.5.1 We speak LMTP here: LHLO")

    async def smtp_HELO(self, _hostname: str | None) -> None:  # noqa: N802
        """Refuse, as EHLO."""
        await self.smtp_EHLO(_hostname)

    async def push(self, status: AnyStr) -> None:
        """Send a reply; after a message, send it once for each of its recipients."""
        reply = status if isinstance(status, bytes) else status.encode("ascii")
        times, self._replies_owed = self._replies_owed, 1
        if reply.startswith(b"354") and self.envelope is not None:
            self._replies_owed = len(self.envelope.rcpt_tos)
        await super().push(b"\r\n".join([reply] * times))
