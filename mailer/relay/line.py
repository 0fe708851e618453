"""A line to a relay: a connection that is opened when a letter needs it."""

from __future__ import annotations

from mailer.domain.delivery import Concern, Outcome, Verdict
from mailer.errors import RelayUnavailable
from mailer.mail.letter import Letter
from mailer.relay.connection import Relay, RelayConnection, connect


class Line:
    """One connection at a time, to one relay."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self._connection: RelayConnection | None = None

    async def open(self) -> RelayConnection:
        """A connection over which a letter can be sent, a new one after so many letters; RelayUnavailable."""
        if self._connection is not None and (not self._connection.usable or self._is_spent(self._connection)):
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
            return Outcome(Verdict.DEFERRED, None, str(trouble), Concern.US if trouble.refused else Concern.PACE)
        except ValueError as trouble:
            return Outcome(Verdict.REFUSED, None, str(trouble))

    def _is_spent(self, connection: RelayConnection) -> bool:
        most = self.relay.letters_per_connection
        return most is not None and connection.letters >= most

    async def close(self) -> None:
        """Hang up; never an error."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()
