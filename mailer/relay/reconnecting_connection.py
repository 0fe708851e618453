"""A line to a relay: a connection that is opened when a letter needs it."""

from __future__ import annotations

from mailer.domain.delivery import Concern, RelayOutcome, Verdict
from mailer.errors import RelayUnavailable
from mailer.mail.message.letter import Letter
from mailer.relay.session_limit import SessionLimit
from mailer.relay.smtp_connection import Relay, RelayConnection, connect


class ReconnectingConnection:
    """One connection at a time, to one relay."""

    def __init__(self, relay: Relay, limit: SessionLimit | None = None) -> None:
        """`limit` is shared by all lines to the relay: each learns for the others."""
        self.relay = relay
        self._limit = limit or SessionLimit(relay.letters_per_connection)
        self._connection: RelayConnection | None = None
        self._probes = False
        """Whether this connection tries for more letters than were learnt."""

    @property
    def ready(self) -> bool:
        """Whether the next letter can go over the connection that is open."""
        return self._connection is not None and self._connection.usable and not self._is_exhausted(self._connection)

    async def open(self) -> RelayConnection:
        """A connection over which a letter can be sent, a new one after so many letters; RelayUnavailable."""
        if self._connection is None or not self.ready:
            await self.close()
            self._connection = await connect(self.relay)
            self._probes = self._limit.starts_probe()
        return self._connection

    async def send(self, letter: Letter) -> RelayOutcome:
        """Give a handed letter to the relay; where the line was closed since it was opened, over a new one.

        So, too, where the relay wants no more letters over the one it went out on: at once, and that is no try. What
        could not be offered at all is UNTRIED: another relay may have it.
        """
        try:
            return await self._send_reconnecting(letter)
        except RelayUnavailable as trouble:
            concern = Concern.SENDER if trouble.refused else Concern.LETTER
            return RelayOutcome(Verdict.UNTRIED, None, str(trouble), concern, by_relay=True)
        except ValueError as trouble:
            return RelayOutcome(Verdict.REFUSED, None, str(trouble))

    async def _send_reconnecting(self, letter: Letter) -> RelayOutcome:
        connection = await self.open()
        try:
            outcome = await connection.send(letter)
        except RelayUnavailable:
            connection = await self.open()
            outcome = await connection.send(letter)
        if not connection.is_exhausted:
            return outcome
        went = connection.letters - 1
        if outcome.code is None:
            self._limit.record_session_end(went)
            return outcome
        await self.close()
        again = await (await self.open()).send(letter)
        if again.code != outcome.code:
            self._limit.record_session_end(went)  # it was said of that connection, and not of us or of this letter
        return again

    def _is_exhausted(self, connection: RelayConnection) -> bool:
        if self._probes:
            self._limit.record_probe(connection.letters)
        most = self._limit.max_letters(probing=self._probes)
        return most is not None and connection.letters >= most

    async def close(self) -> None:
        """Hang up; never an error."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            if connection.ended_after_letter:
                self._limit.record_session_end(connection.letters)
            await connection.close()
