"""The mail door: listens for mail to our domain over SMTP or LMTP, and closes without losing any."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

from mailer.entrypoints.service.listening_socket import BACKLOG, listen
from mailer.entrypoints.smtp.commands import IntakeSession, LmtpSession
from mailer.entrypoints.smtp.connection_limits import Guests
from mailer.entrypoints.smtp.handler import Desk, Doorkeeper, IntakeDoor

__all__ = ["Intake", "IntakeDoor", "open_intake"]

_FAREWELL_S = 1.0
"""How long clients may take to fetch our last words when the door closes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """The open door."""

    port: int
    """The real one, where 0 was asked for."""
    server: asyncio.Server
    keeper: Doorkeeper
    guests: Guests

    async def close(self) -> None:
        """Stop listening, answer the mails that are just being written down, put everything else down.

        Clients that neither read nor leave are dropped; only `receive` itself is waited for however long it takes.
        """
        # Server.wait_closed() would wait for idle clients, so the sessions are ended by hand.
        self.guests.leaving = True
        self.server.close()
        for session in self._sessions():
            session.dismiss()
        if self.keeper.receipts:
            await asyncio.wait(self.keeper.receipts)
        if sessions := self._sessions():
            await asyncio.wait([session.gone for session in sessions], timeout=_FAREWELL_S)
        for session in self._sessions():
            session.abort()
        await asyncio.sleep(0)

    def _sessions(self) -> list[IntakeSession]:
        return [cast("IntakeSession", guest) for guest in self.guests.sessions]


async def open_intake(settings: IntakeDoor, desk: Desk) -> Intake:
    """Listen in this loop. DoorTaken where another program does; SettingsRefused where nobody could."""
    loop = asyncio.get_running_loop()
    keeper = Doorkeeper(door=settings, desk=desk)
    guests = Guests(
        most=settings.most_connections,
        most_per_address=settings.most_per_address,
        own=settings.own,
        proxies=settings.proxies,
    )
    session = LmtpSession if settings.protocol == "lmtp" else IntakeSession
    listener = listen(settings.host, settings.port, "the mail door")
    server = await loop.create_server(lambda: session(keeper, guests, loop), sock=listener, backlog=BACKLOG)
    return Intake(port=listener.getsockname()[1], server=server, keeper=keeper, guests=guests)
