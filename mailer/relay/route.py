"""A route: so many connections to one relay for one kind of letter, and the letters that lie ready for them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Generic, TypeVar

from mailer.relay.lane import Lane
from mailer.relay.rate_limiter import RateLimiter
from mailer.relay.session_limit import SessionLimit
from mailer.relay.smtp_connection import Relay

T = TypeVar("T")

NOTICE_SHARE = 0.05
"""The part of every limit that is kept for notices."""
_GROW_INTERVAL_S = 10.0
"""How often more connections are tried with a relay that had said that they are too many."""


class Priority(Enum):
    """Notices have connections of their own, so that no campaign keeps one waiting."""

    NOTICES = "notices"
    CAMPAIGNS = "campaigns"


@dataclass(slots=True, eq=False)
class Route(Generic[T]):
    """A relay as one priority uses it; `T` is a letter with what its carrier must know."""

    relay: Relay
    connections: int
    rate_limiter: RateLimiter
    lane: Lane
    """What its replies say about us, whomever the letters are for."""
    ready: deque[T] = field(default_factory=deque)
    virtual_time: float = 0.0
    """Where it stands in the round of relays: the lowest is next, and each letter moves it on by 1 / weight."""
    open_connections: int = 0
    """Connections that came through to the relay."""
    max_connections: int = field(init=False)
    """How many it takes from us at once, as far as it has let us know."""
    session_limit: SessionLimit = field(init=False)
    """How many letters it takes over each."""
    _grows_at: float = 0.0
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.max_connections = self.connections
        self.session_limit = SessionLimit(self.relay.letters_per_connection)

    def free_slots(self, now: datetime) -> int:
        """How many letters more may be laid ready: none where nobody is there to carry them."""
        return (
            0 if self.lane.closed(now) or not self.open_connections else max(self.max_connections - len(self.ready), 0)
        )

    def lower_max_connections(self, most: int, time: float) -> None:
        """The relay takes no more of our connections than this, for now; who is too many leaves."""
        self.max_connections, self._grows_at = max(most, 1), time + _GROW_INTERVAL_S
        self.wake_all()

    def raise_max_connections(self, time: float) -> None:
        """Now and then, try whether it takes some more again."""
        if self.max_connections < self.connections and time >= self._grows_at:
            self.max_connections = min(self.max_connections + max(self.max_connections // 4, 1), self.connections)
            self._grows_at = time + _GROW_INTERVAL_S

    @contextmanager
    def connected(self) -> Iterator[None]:
        """While this lasts a connection is there for letters."""
        self.open_connections += 1
        try:
            yield
        finally:
            self.open_connections -= 1

    @contextmanager
    def reconnecting(self) -> Iterator[None]:
        """While this lasts a connection that was there is not."""
        self.open_connections -= 1
        try:
            yield
        finally:
            self.open_connections += 1

    def add_letter(self, letter: T) -> None:
        """Lay a letter ready, and wake a connection that waits for one."""
        self.virtual_time += 1 / self.relay.weight
        self.ready.append(letter)
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break

    def take_ready(self) -> list[T]:
        """Take back all letters that are ready, and wake the connections that wait for one."""
        letters = list(self.ready)
        self.ready.clear()
        self.wake_all()
        return letters

    async def wait_for_letter(self) -> None:
        """Return when a letter may lie ready, or everybody is woken."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def wake_all(self) -> None:
        """Wake all connections: there is something new to look at."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)


def connection_quota(relay: Relay, priority: Priority) -> int:
    """How many of a relay's connections a priority has: 5 % are for notices, one at least; the rest for campaigns."""
    kept = max(1, round(relay.connections * NOTICE_SHARE))
    return kept if priority is Priority.NOTICES else relay.connections - kept


def next_route(routes: Iterable[Route[T]], now: datetime) -> Route[T] | None:
    """The relay whose turn it is by weight, of those that have room; None where none has."""
    able = [one for one in routes if one.free_slots(now)]
    if len(able) < 2:
        return able[0] if able else None
    # Where the round is: who had no room for a while goes on from here, and does not get all that the others had.
    here = max(one.virtual_time - 1 / one.relay.weight for one in able)
    for one in able:
        one.virtual_time = max(one.virtual_time, here)
    return min(able, key=lambda one: one.virtual_time)
