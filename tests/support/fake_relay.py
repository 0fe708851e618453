"""A relay for tests: it never fails on its own, and always remembers everything.

    async with FakeRelay() as relay:
        relay.answers("rcpt", "550 5.1.1 no such person", address="emma@example.org")
        relay.drops("dot", nth=3)
        ... mail goes to 127.0.0.1:relay.port ...
        await relay.wait_for(2)
        assert [letter.recipient for letter in relay.letters] == [...]

Stages at which it can be told what to do: greeting, ehlo, starttls, auth, mail, rset, rcpt, data, dot (instead of the
reply to the content), answered (right after that reply), quit. `address` is the recipient; at "mail" it is the sender.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Callable

from tests.support.fake_relay_session import Hold, Order, ReceivedLetter, Session, certificate


class FakeRelay:
    """An SMTP server on 127.0.0.1 with a free port."""

    def __init__(
        self,
        *,
        pipelining: bool = True,
        tls: str = "none",
        login: tuple[str, str] | None = None,
        auth: str = "PLAIN",
        offers: tuple[str, ...] = ("SIZE 10000000", "8BITMIME"),
    ) -> None:
        """`auth` are the ways it takes a login, `offers` what it says to EHLO besides."""
        self.pipelining, self.tls, self.login, self.auth, self.offers = pipelining, tls, login, auth, offers
        self.port = 0
        self.letters: list[ReceivedLetter] = []
        """All it took, in order: answered 2xx, or not answered at all."""
        self.refused: list[tuple[str, str, str]] = []
        """Every (stage, address, reply) that was 4xx or 5xx."""
        self.commands: list[tuple[int, str]] = []
        """Every (connection, command line)."""
        self.pipelined: list[str] = []
        """The command lines that came before the one before them was answered."""
        self.connections = 0
        self.most_connections = math.inf
        """At once; whoever comes when so many are there is told 421."""
        self._session_end: tuple[Callable[[int], int], str | None, str] | None = None
        self._orders: list[Order] = []
        self._sessions: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Event()

    def answers(self, stage: str, reply: str, *, address: str | None = None, nth: int | None = None) -> None:
        """Say `reply` (lines joined by \\r\\n if more) at that stage: always, or the nth time from now."""
        self._orders.append(Order(stage, address, nth, reply))

    def drops(self, stage: str, *, address: str | None = None, nth: int | None = None) -> None:
        """Break the line instead of replying."""
        self._orders.append(Order(stage, address, nth, None))

    def holds(self, stage: str, *, address: str | None = None, nth: int | None = None) -> Hold:
        """Be silent until the hold is released, then go on as usual."""
        hold = Hold()
        self._orders.append(Order(stage, address, nth, hold))
        return hold

    def end_sessions(
        self, after: Callable[[int], int], reply: str | None = "421 4.7.0 enough", stage: str = "mail"
    ) -> None:
        """Take so many letters over each connection (told its number), and then say `reply` at that stage.

        A 421 hangs up, None without a word, "" is silence.
        """
        self._session_end = (after, reply, stage)

    def session_end(self, connection: int, taken: int, stage: str) -> Order | None:
        """What a connection that has brought so many letters is told at a stage, if it is to end there."""
        if self._session_end is None:
            return None
        after, reply, where = self._session_end
        if stage != where or taken < after(connection):
            return None
        return Order(stage, None, None, Hold() if reply == "" else reply)

    def forget_orders(self) -> None:
        """Forget all it was told to do."""
        self._orders.clear()
        self._session_end = None

    async def listen(self) -> None:
        """Take connections (again, on the same port)."""
        context = certificate()[0] if self.tls == "tls" else None
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop_listening(self) -> None:
        """Listen no more; lines that are open stay open."""
        self._server.close()

    async def break_connections(self) -> None:
        """Break all lines that are open."""
        for session in tuple(self._sessions):
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    @property
    def trust(self) -> ssl.SSLContext:
        """What a client needs to trust its certificate."""
        return ssl.create_default_context(cadata=certificate()[1])

    async def wait_for(self, number: int, within_s: float = 10) -> list[ReceivedLetter]:
        """Its letters, as soon as there are so many."""
        try:
            async with asyncio.timeout(within_s):
                while len(self.letters) < number:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(f"{len(self.letters)} of {number} letters came: {self.letters}") from None
        return self.letters

    async def __aenter__(self) -> FakeRelay:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop_listening()
        await self.break_connections()

    def order(self, stage: str, address: str) -> Order | None:
        """What it was told for this moment, if anything; the latest word counts."""
        meant = [order for order in self._orders if order.stage == stage and order.address in {None, address}]
        for order in meant:
            order.matches += 1
        return next((order for order in reversed(meant) if order.nth in {None, order.matches}), None)

    def take(self, letter: ReceivedLetter) -> None:
        """Remember a letter, and tell who waits for it."""
        self.letters.append(letter)
        self._arrived.set()

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        crowded = len(self._sessions) >= self.most_connections
        session = asyncio.get_running_loop().create_task(Session(self, reader, writer, crowded=crowded).run())
        self._sessions.add(session)
        session.add_done_callback(self._sessions.discard)
