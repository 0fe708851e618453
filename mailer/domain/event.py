"""The event an appeal invites to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """What happens where and when."""

    name: str
    place: str
    """Empty where it has none: it is online, or the text says where."""
    starts_at: datetime
    """Aware, in the place's own zone; of an event that has days and no hours, the first day's midnight."""
    ends_at: datetime | None = None
    """Likewise; of an event without hours, the last day's midnight."""
    all_day: bool = False
    """Whether it has days and no hours."""
    zone: str
    """IANA name of that zone."""

    @property
    def invitation_deadline(self) -> datetime:
        """When an invitation comes too late: at its start, or where that has no hour, at the first day's end."""
        if not self.all_day:
            return self.starts_at
        # Where the clock skips midnight this is the instant at which it does.
        return datetime.combine(self.starts_at.date() + timedelta(days=1), time(), self.starts_at.tzinfo)
