"""An hour on somebody's clock, and the same instant in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailer.errors import MomentRefused

LONGEST_SPAN = timedelta(days=7)
_SPAN = re.compile(r"(?:(\d{1,7})d)?(?:(\d{1,7})h)?(?:(\d{1,7})m)?(?:(\d{1,7})s)?", re.ASCII)
# The tz database has them as fixed offsets, and people mean a place by them.
_WINTER_TIMES = {"EST": "America/New_York", "MST": "America/Denver", "HST": "Pacific/Honolulu"}


def parse_span(text: str) -> timedelta:
    """A span of a second to seven days: `6h`, `90m`, `2h30m`, `45s`, `2d`; MomentRefused for anything else."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None or not found[0]:
        raise MomentRefused(f"{text!r} is not a span of time like 6h, 90m or 2h30m")
    days, hours, minutes, seconds = (int(number or 0) for number in found.groups())
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(seconds=1) <= span <= LONGEST_SPAN:
        raise MomentRefused(f"{text!r} is not between a second and {LONGEST_SPAN.days} days")
    return span


def parse_local_time(text: str) -> datetime:
    """A naive date and time from ISO 8601, seconds optional: `2026-12-01T09:00`."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        raise MomentRefused(f"{text!r} is not a date and time like 2026-12-01T09:00") from None
    if len(text.strip()) <= 10:
        raise MomentRefused(f"{text!r} names a day; an hour is needed too, like {text.strip()}T09:00")
    if local.tzinfo is not None:
        raise MomentRefused(f"{text!r} carries an offset; give local time, and the zone by its name")
    return local


def parse_day(text: str) -> date | None:
    """The day of an ISO 8601 date without an hour, `2026-12-01`; None for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def begins(day: date, zone: ZoneInfo) -> datetime:
    """A day's midnight on a zone's clock, aware; MomentRefused at the ends of the calendar, where no day follows."""
    try:
        midnight = datetime.combine(day, time(), zone)
        (midnight + timedelta(days=2)).astimezone(UTC)
        midnight.astimezone(UTC)
    except OverflowError:
        raise MomentRefused(f"{day.isoformat()} is beyond the calendar") from None
    return midnight


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name such as Europe/Berlin; MomentRefused for others, and for winter times alone."""
    if place := _WINTER_TIMES.get(name.strip().upper()):
        raise MomentRefused(f"{name!r} has no summer time, which few places do without; use a name like {place}")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise MomentRefused(f"{name!r} is not a time zone; use a name like Europe/Berlin") from None


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a naive local time. A gap (spring) is refused; a repeated hour is its first."""
    aware = local.replace(tzinfo=zone, fold=0)
    try:
        instant = aware.astimezone(UTC)
        shown = instant.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        raise MomentRefused(f"{local.isoformat(timespec='minutes')} is beyond the calendar") from None
    if shown != local:
        raise MomentRefused(f"{local.isoformat(timespec='minutes')} does not exist in {zone.key}: the clock skips it")
    return instant
