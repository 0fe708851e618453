"""Whether a mail was written recently: an old one can be replayed by everybody who received it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MAX_AGE = timedelta(days=3)
"""How old a mail may be for its sender to be authenticated."""
_MAX_CLOCK_SKEW = timedelta(days=1)
"""How far the author's clock or time zone may be wrong."""


def parse_date(value: str) -> datetime | None:
    """The time in the value of a Date field, in UTC; None if it is malformed."""
    try:
        found = parsedate_to_datetime(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def find_date_problem(at: datetime, now: datetime) -> str | None:
    """Why a mail written `at` this time is too old or too new, in a few words; None if it is neither."""
    if now - at > MAX_AGE:
        return f"written on {at:%Y-%m-%d}, too long ago"
    return f"written on {at:%Y-%m-%d}, which is yet to come" if at - now > _MAX_CLOCK_SKEW else None
