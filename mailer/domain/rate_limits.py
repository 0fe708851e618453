"""Rate limits: letters a second, an hour and a day, and the daily ramp of a new sender."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

HOUR_S, DAY_S = 3600, 86400


@dataclass(frozen=True, kw_only=True, slots=True)
class Ramp:
    """A warm-up: `first_day` letters on the first day, times `growth` on each day after it."""

    since: date
    first_day: int
    growth: float = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Limits of one relay or domain over all processes; None is no limit. Days and hours are UTC."""

    per_second: float | None = None
    per_hour: int | None = None
    per_day: int | None = None
    ramp: Ramp | None = None

    @property
    def is_limited(self) -> bool:
        return (self.per_second, self.per_hour, self.per_day, self.ramp) != (None, None, None, None)

    def windows(self, now: datetime) -> dict[int, int]:
        """The most letters in the current hour and day, by the window's length in seconds."""
        limits = {}
        if self.per_hour is not None:
            limits[HOUR_S] = self.per_hour
        of_day = [self.per_day] if self.per_day is not None else []
        if self.ramp is not None:
            of_day.append(ramp_limit(self.ramp, now))
        if of_day:
            limits[DAY_S] = min(of_day)
        return limits


@dataclass(frozen=True, kw_only=True, slots=True)
class DomainLimits:
    """Limits for one destination domain."""

    connections: int
    """Letters at once."""
    limits: Limits


def ramp_limit(ramp: Ramp, now: datetime) -> int:
    """The most letters on the day of `now`; before the first day the same as on it."""
    days = max((now.astimezone(UTC).date() - ramp.since).days, 0)
    return int(min(ramp.first_day * ramp.growth ** min(days, 64), 10**9))


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLease:
    """Permission for some letters: the first may start at `first_at`, each next one `every_s` seconds later."""

    letters: int
    first_at: datetime
    every_s: float

    def next_after(self) -> datetime:
        """When the first letter after this lease may start; of a used-up hour or day, when the next begins."""
        return self.first_at + timedelta(seconds=self.letters * self.every_s)
