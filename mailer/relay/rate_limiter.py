"""RateLimiter: lets letters to a relay start only at the times that were leased from the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from mailer.domain.rate_limits import RateLease
from mailer.errors import BudgetSpent


class RateLimiter:
    """Releases waiting letters one after another, in the order in which they asked."""

    def __init__(
        self,
        lease: Callable[[], Awaitable[RateLease]] | None,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`lease` gets the next letters and times; None means no limit. `clock` and `sleep` are in seconds."""
        self.is_limited = lease is not None
        self._lease, self._now, self._clock, self._sleep = lease, now, clock, sleep
        self._remaining, self._next_at, self._every_s = 0, 0.0, 0.0
        self._lock = asyncio.Lock()

    async def acquire(self) -> None:
        """Wait until one more letter may be sent. Raises BudgetSpent. A cancelled waiter uses up no letter."""
        if self._lease is None:
            return
        async with self._lock:
            while self._remaining == 0:
                await self._renew(self._lease)
            while (wait_s := self._next_at - self._clock()) > 0:
                await self._sleep(wait_s)
            self._remaining -= 1
            self._next_at += self._every_s

    async def _renew(self, lease: Callable[[], Awaitable[RateLease]]) -> None:
        grant = await lease()
        wait_s = max((grant.first_at - self._now()).total_seconds(), 0.0)
        if grant.letters == 0:
            if grant.every_s == 0.0:
                raise BudgetSpent(grant.first_at)
            await self._sleep(wait_s)
            return
        self._remaining, self._next_at, self._every_s = grant.letters, self._clock() + wait_s, grant.every_s
