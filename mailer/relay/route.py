"""A route: the connections to one relay for one priority, and the letters that are ready for them."""

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
"""The share of every limit that is reserved for notices."""
_GROW_INTERVAL_S = 10.0
"""How often more connections are tried with a relay that answered "too many connections"."""


class Priority(Enum):
    """Notices have connections of their own, so that no campaign delays them."""

    NOTICES = "notices"
    CAMPAIGNS = "campaigns"


@dataclass(slots=True, eq=False)
class Route(Generic[T]):
    """A relay as one priority uses it; `T` is a rendered letter with its delivery."""

    relay: Relay
    connections: int
    rate_limiter: RateLimiter
    lane: Lane
    """What its replies say about us, for any recipient."""
    ready: deque[T] = field(default_factory=deque)
    virtual_time: float = 0.0
    """For weighted round robin: the route with the lowest value is next, and each letter adds 1 / weight."""
    open_connections: int = 0
    """Connections that are open now."""
    max_connections: int = field(init=False)
    """How many connections it takes from us at once, as far as its replies tell."""
    session_limit: SessionLimit = field(init=False)
    """How many letters it takes over each connection."""
    _grows_at: float = 0.0
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.max_connections = self.connections
        self.session_limit = SessionLimit(self.relay.letters_per_connection)

    def free_slots(self, now: datetime) -> int:
        """How many more letters may be made ready; 0 while no connection is open or the lane is closed."""
        return (
            0 if self.lane.closed(now) or not self.open_connections else max(self.max_connections - len(self.ready), 0)
        )

    def lower_max_connections(self, most: int, time: float) -> None:
        """Use at most this many connections for now; tasks above that number end. `time` is the loop's."""
        self.max_connections, self._grows_at = max(most, 1), time + _GROW_INTERVAL_S
        self.wake_all()

    def raise_max_connections(self, time: float) -> None:
        """Every ten seconds, allow a quarter more connections again. `time` is the loop's."""
        if self.max_connections < self.connections and time >= self._grows_at:
            self.max_connections = min(self.max_connections + max(self.max_connections // 4, 1), self.connections)
            self._grows_at = time + _GROW_INTERVAL_S

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Count one open connection while the block runs."""
        self.open_connections += 1
        try:
            yield
        finally:
            self.open_connections -= 1

    @contextmanager
    def reconnecting(self) -> Iterator[None]:
        """Count one open connection less while the block runs."""
        self.open_connections -= 1
        try:
            yield
        finally:
            self.open_connections += 1

    def add_letter(self, letter: T) -> None:
        """Make a letter ready, and wake one connection that waits."""
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
        """Wait until a letter may be ready, or `wake_all` was called."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def wake_all(self) -> None:
        """Wake all waiting connections, so that they check whether to stop."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)


def connection_quota(relay: Relay, priority: Priority) -> int:
    """How many of a relay's connections a priority has: notices 5 %, but at least one; campaigns the rest."""
    kept = max(1, round(relay.connections * NOTICE_SHARE))
    return kept if priority is Priority.NOTICES else relay.connections - kept


def next_route(routes: Iterable[Route[T]], now: datetime) -> Route[T] | None:
    """The next route by weight of those with free slots; None if none has any."""
    able = [one for one in routes if one.free_slots(now)]
    if len(able) < 2:
        return able[0] if able else None
    # A route that had no free slots for a while continues from here; it does not catch up on what others sent.
    here = max(one.virtual_time - 1 / one.relay.weight for one in able)
    for one in able:
        one.virtual_time = max(one.virtual_time, here)
    return min(able, key=lambda one: one.virtual_time)
