"""The SMTP or LMTP server: listens for mail to our domain, and closes without losing any."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

from mailer.actions.inbound.message_stream import ReceiverProtocol
from mailer.app import App
from mailer.entrypoints.service.listening_socket import BACKLOG, open_listening_socket
from mailer.entrypoints.smtp.commands import LmtpSession, SmtpSession
from mailer.entrypoints.smtp.connection_limits import ConnectionLimits, parse_networks
from mailer.entrypoints.smtp.handler import SmtpHandler, SmtpServerConfig
from mailer.entrypoints.smtp.tls_certificate import Certificate
from mailer.settings.intake_tables import IntakeSettings

_MEGABYTE = 2**20
_FLUSH_TIMEOUT_S = 1.0
"""How long clients may take to read our last reply when the server closes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpServer:
    """A listening SMTP server."""

    port: int
    """The port it listens on, also where the settings say 0."""
    listener: asyncio.Server
    handler: SmtpHandler
    limits: ConnectionLimits

    async def close(self) -> None:
        """Stop listening, answer the messages that are being stored, and end all sessions.

        Storing is waited for however long it takes. Clients that do not read their last reply are cut off.
        """
        # Server.wait_closed() would wait for idle clients, so the sessions are ended by hand.
        self.limits.closing = True
        self.listener.close()
        for session in self._sessions():
            session.close_with_reply()
        if self.handler.pending_receipts:
            await asyncio.wait(self.handler.pending_receipts)
        if sessions := self._sessions():
            await asyncio.wait([session.closed for session in sessions], timeout=_FLUSH_TIMEOUT_S)
        for session in self._sessions():
            session.abort()
        await asyncio.sleep(0)

    def _sessions(self) -> list[SmtpSession]:
        return [cast("SmtpSession", session) for session in self.limits.sessions]


async def start_smtp_server(config: SmtpServerConfig, receiver: ReceiverProtocol) -> SmtpServer:
    """Listen in the running loop.

    Raises ListenAddressTaken if another program listens there, SettingsRefused if the address cannot be used.
    """
    loop = asyncio.get_running_loop()
    handler = SmtpHandler(config=config, receiver=receiver)
    limits = ConnectionLimits(
        most_connections=config.most_connections,
        most_per_address=config.most_per_address,
        own_servers=config.own_servers,
        proxies=config.proxies,
    )
    session = LmtpSession if config.protocol == "lmtp" else SmtpSession
    listener = open_listening_socket(config.host, config.port, "the SMTP server")
    server = await loop.create_server(lambda: session(handler, limits, loop), sock=listener, backlog=BACKLOG)
    return SmtpServer(port=listener.getsockname()[1], listener=server, handler=handler, limits=limits)


def smtp_server_config(app: App, intake: IntakeSettings) -> SmtpServerConfig:
    """The configuration that [intake] describes. Raises SettingsRefused if the certificate cannot be used."""
    return SmtpServerConfig(
        host=intake.host,
        port=intake.port,
        protocol=intake.protocol,
        hostname=app.site.domain,
        domain=app.site.domain,
        legacy_lists=app.legacy_lists,
        spool=intake.spool,
        certificate=Certificate(intake.tls_certificate, intake.tls_key) if intake.tls_certificate else None,
        own_servers=parse_networks(intake.mail_servers),
        proxies=parse_networks(intake.proxy_from),
        most_octets=int(intake.most_megabytes * _MEGABYTE),
        most_connections=intake.most_connections,
        most_per_address=intake.most_per_address,
    )
