"""How many letters may go: a second, an hour, a day; and how a young sender grows into that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

HOUR_S, DAY_S = 3600, 86400


@dataclass(frozen=True, kw_only=True, slots=True)
class Ramp:
    """A warm-up: so many letters on the first day, so many times as many on each day after it."""

    since: date
    first_day: int
    growth: float = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Of one spender, over all nodes; None is no limit. Days and hours are those of UTC."""

    per_second: float | None = None
    per_hour: int | None = None
    per_day: int | None = None
    ramp: Ramp | None = None

    @property
    def is_limited(self) -> bool:
        return (self.per_second, self.per_hour, self.per_day, self.ramp) != (None, None, None, None)

    def windows(self, now: datetime) -> dict[int, int]:
        """The most letters of the hour and of the day that `now` is in, by their length in seconds."""
        found = {}
        if self.per_hour is not None:
            found[HOUR_S] = self.per_hour
        of_day = [self.per_day] if self.per_day is not None else []
        if self.ramp is not None:
            of_day.append(ramp_limit(self.ramp, now))
        if of_day:
            found[DAY_S] = min(of_day)
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class DomainLimits:
    """What a destination is to be spared."""

    connections: int
    """Letters at once."""
    limits: Limits


def ramp_limit(ramp: Ramp, now: datetime) -> int:
    """The most letters on the day that `now` is in; before the first day there is none to lose: the first day's."""
    days = max((now.astimezone(UTC).date() - ramp.since).days, 0)
    return int(min(ramp.first_day * ramp.growth ** min(days, 64), 10**9))


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLease:
    """Letters that may go: so many, the first at an hour, the next each so many seconds after the one before."""

    letters: int
    first_at: datetime
    every_s: float

    def next_after(self) -> datetime:
        """When the first one that is not in this grant could go; of a spent hour or day, when the next begins."""
        return self.first_at + timedelta(seconds=self.letters * self.every_s)
