"""Whether a mail is new, by what it says of when it was written: an old one is in the hands of everybody it went to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MAX_AGE = timedelta(days=3)
"""So long may a mail be on its way, and still prove who wrote it."""
_MAX_CLOCK_SKEW = timedelta(days=1)
"""So much may the clock, or the zone, of whoever wrote be wrong."""


def parse_date(value: str) -> datetime | None:
    """A Date field's value as an aware time; None where it is none."""
    try:
        found = parsedate_to_datetime(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def find_date_problem(at: datetime, now: datetime) -> str | None:
    """In a few words, for a time that is too long ago or too far ahead; None for one that is neither."""
    if now - at > MAX_AGE:
        return f"written on {at:%Y-%m-%d}, too long ago"
    return f"written on {at:%Y-%m-%d}, which is yet to come" if at - now > _MAX_CLOCK_SKEW else None
