"""A line to a relay: a connection that is opened when a letter needs it."""

from __future__ import annotations

from mailer.domain.delivery import Outcome, Verdict
from mailer.errors import RelayUnavailable
from mailer.mail.letter import Letter
from mailer.relay.connection import Relay, RelayConnection, connect


class Line:
    """One connection at a time, to one relay."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self._connection: RelayConnection | None = None

    async def open(self) -> RelayConnection:
        """A connection over which a letter can be sent; RelayUnavailable."""
        if self._connection is not None and not self._connection.usable:
            await self.close()
        if self._connection is None:
            self._connection = await connect(self.relay)
        return self._connection

    async def send(self, letter: Letter) -> Outcome:
        """Give a handed letter to the relay; where the line was closed since it was opened, over a new one."""
        try:
            try:
                return await (await self.open()).send(letter)
            except RelayUnavailable:
                return await (await self.open()).send(letter)
        except RelayUnavailable as trouble:
            return Outcome(Verdict.DEFERRED, None, str(trouble))
        except ValueError as trouble:
            return Outcome(Verdict.REFUSED, None, str(trouble))

    async def close(self) -> None:
        """Hang up; never an error."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()
