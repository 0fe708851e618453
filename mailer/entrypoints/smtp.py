"""The mail door: listens for mail to our domain over SMTP or LMTP, and closes without losing any."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mailer.domain.arrival import Arrival
from mailer.entrypoints.doorkeeper import Doorkeeper, IntakeDoor
from mailer.entrypoints.listener import listen
from mailer.entrypoints.smtp_session import Guests, IntakeSession, LmtpSession

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
        for session in tuple(self.guests.sessions):
            session.dismiss()
        if self.keeper.receipts:
            await asyncio.wait(self.keeper.receipts)
        if self.guests.sessions:
            await asyncio.wait([session.gone for session in self.guests.sessions], timeout=_FAREWELL_S)
        for session in tuple(self.guests.sessions):
            session.abort()
        await asyncio.sleep(0)


async def open_intake(
    settings: IntakeDoor,
    recognise: Callable[[str], Awaitable[bool]],
    receive: Callable[[Arrival], Awaitable[None]],
) -> Intake:
    """Listen in this loop. DoorTaken where another program does; SettingsRefused where nobody could.

    `recognise(address)` is asked at RCPT about addresses of our domain. `receive(arrival)`
    returns once it is committed: then the client hears 250. An error of either is a 451.
    """
    loop = asyncio.get_running_loop()
    keeper = Doorkeeper(door=settings, recognise=recognise, receive=receive)
    guests = Guests(most=settings.most_connections)
    session = LmtpSession if settings.protocol == "lmtp" else IntakeSession
    listener = listen(settings.host, settings.port, "the mail door")
    server = await loop.create_server(lambda: session(keeper, guests, loop), sock=listener)
    return Intake(port=listener.getsockname()[1], server=server, keeper=keeper, guests=guests)
