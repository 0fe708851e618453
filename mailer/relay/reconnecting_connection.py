"""ReconnectingConnection: a relay connection that is opened, and replaced, when a letter needs it."""

from __future__ import annotations

from mailer.domain.delivery import Concern, RelayOutcome, Verdict
from mailer.errors import RelayUnavailable
from mailer.mail.message.letter import Letter
from mailer.relay.session_limit import SessionLimit
from mailer.relay.smtp_connection import Relay, RelayConnection, connect


class ReconnectingConnection:
    """One connection at a time to one relay."""

    def __init__(self, relay: Relay, limit: SessionLimit | None = None) -> None:
        """`limit` is shared by all connections to the relay."""
        self.relay = relay
        self._limit = limit or SessionLimit(relay.letters_per_connection)
        self._connection: RelayConnection | None = None
        self._probes = False
        """Whether this connection probes if the relay takes more letters than were learnt."""

    @property
    def ready(self) -> bool:
        """Whether the open connection can take the next letter."""
        return self._connection is not None and self._connection.usable and not self._is_exhausted(self._connection)

    async def open(self) -> RelayConnection:
        """A connection that can take a letter; a new one if the old one is exhausted. Raises RelayUnavailable."""
        if self._connection is None or not self.ready:
            await self.close()
            self._connection = await connect(self.relay)
            self._probes = self._limit.starts_probe()
        return self._connection

    async def send(self, letter: Letter) -> RelayOutcome:
        """Send a handed letter, over a new connection if the old one was closed meanwhile or takes no more letters.

        That second time does not count as a try. A letter that could not be offered at all is UNTRIED, so another
        relay may take it.
        """
        try:
            return await self._send_reconnecting(letter)
        except RelayUnavailable as error:
            concern = Concern.SENDER if error.refused else Concern.LETTER
            return RelayOutcome(Verdict.UNTRIED, None, str(error), concern, by_relay=True)
        except ValueError as error:
            return RelayOutcome(Verdict.REFUSED, None, str(error))

    async def _send_reconnecting(self, letter: Letter) -> RelayOutcome:
        connection = await self.open()
        try:
            outcome = await connection.send(letter)
        except RelayUnavailable:
            connection = await self.open()
            outcome = await connection.send(letter)
        if not connection.is_exhausted:
            return outcome
        letters_before = connection.letters - 1
        if outcome.code is None:
            self._limit.record_session_end(letters_before)
            return outcome
        await self.close()
        again = await (await self.open()).send(letter)
        if again.code != outcome.code:
            self._limit.record_session_end(letters_before)  # the reply was about that connection
        return again

    def _is_exhausted(self, connection: RelayConnection) -> bool:
        if self._probes:
            self._limit.record_probe(connection.letters)
        most = self._limit.max_letters(probing=self._probes)
        return most is not None and connection.letters >= most

    async def close(self) -> None:
        """Close the connection; raises nothing."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            if connection.ended_after_letter:
                self._limit.record_session_end(connection.letters)
            await connection.close()
