"""How many letters a second may go to a relay."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable


class Pace:
    """Lets letters go one after another, in the order in which they asked.

    A second's worth may go at once; then each waits until the one a second's worth before it is a second old, so
    that no second has more than its number (of a fraction: 2.5 a second are 3 in 1.2 s, 0.5 is 1 in 2 s).
    """

    def __init__(
        self,
        per_second: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`per_second` None is no limit; `clock` gives seconds, `sleep` waits for so many of them."""
        if per_second is not None and not per_second > 0:
            raise ValueError(f"{per_second} letters a second would never send one; None is no limit")
        self._per_second, self._clock, self._sleep = per_second, clock, sleep
        self._gone: deque[float] = deque(maxlen=math.ceil(per_second or 1))
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Wait until one more letter may go. A waiter that is cancelled costs the others nothing."""
        if self._per_second is None:
            return
        async with self._turn:
            while (wait_s := self._until_next(self._per_second)) > 0:
                await self._sleep(wait_s)
            self._gone.append(self._clock())

    def _until_next(self, per_second: float) -> float:
        most = self._gone.maxlen or 1
        if len(self._gone) < most:
            return 0
        return self._gone[0] + most / per_second - self._clock()
