"""How long a campaign still takes: from the rate of its letters and the holds they wait for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

WINDOW_S = 15.0
"""A rate is that of the last so many seconds."""
_SHORTEST_S = 2.0


def seconds_left(waiting: int, rate: float | None, holds: Iterable[datetime], now: datetime) -> float | None:
    """Seconds until `waiting` letters are settled at this rate a second, and no lane is held any more.

    None where that cannot be said: letters wait, and none is settled.
    """
    if waiting <= 0:
        return 0.0
    if not rate:
        return None
    held_s = max(((until - now).total_seconds() for until in holds), default=0.0)
    return max(waiting / rate, held_s)


@dataclass(slots=True)
class RateMeter:
    """The rate of a number that grows, from the times at which it was looked at."""

    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, at_s: float, number: int) -> None:
        """Note the number at a time, in seconds; a number that fell begins anew."""
        if self._seen and number < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((at_s, number))
        while len(self._seen) > 2 and at_s - self._seen[1][0] >= WINDOW_S:
            self._seen.popleft()

    @property
    def rate(self) -> float | None:
        """A second, over about WINDOW_S; None until it was watched for two seconds."""
        if not self._seen or (span_s := self._seen[-1][0] - self._seen[0][0]) < _SHORTEST_S:
            return None
        return (self._seen[-1][1] - self._seen[0][1]) / span_s
