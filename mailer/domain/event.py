"""The event to which a campaign invites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Name, place and time of an event."""

    name: str
    place: str
    """Empty if it has none, such as an online event."""
    starts_at: datetime
    """Timezone-aware, in the event's zone; midnight of the first day if the event has no hour."""
    ends_at: datetime | None = None
    """Timezone-aware, in the event's zone; midnight of the last day if the event has no hour."""
    all_day: bool = False
    """Whether it has a date but no hour."""
    zone: str
    """IANA name of the event's time zone."""

    @property
    def invitation_deadline(self) -> datetime:
        """The time from which an invitation is too late: the start, or without an hour the end of the first day."""
        if not self.all_day:
            return self.starts_at
        # In a zone whose clock skips midnight on that day, this is the moment of the skip.
        return datetime.combine(self.starts_at.date() + timedelta(days=1), time(), self.starts_at.tzinfo)
