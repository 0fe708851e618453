"""Local times, time zones and durations as people write them, and conversion to UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailer.errors import TimeRefused

MAX_DURATION = timedelta(days=7)
_DURATION = re.compile(r"(?:(\d{1,7})d)?(?:(\d{1,7})h)?(?:(\d{1,7})m)?(?:(\d{1,7})s)?", re.ASCII)
# In the tz database these are fixed offsets; people who write them mean a place, whose offset changes in summer.
_FIXED_OFFSET_ZONES = {"EST": "America/New_York", "MST": "America/Denver", "HST": "Pacific/Honolulu"}


def parse_duration(text: str) -> timedelta:
    """Parse a duration between a second and seven days: `6h`, `90m`, `2h30m`, `45s`, `2d`. Raises TimeRefused."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or not match[0]:
        raise TimeRefused(f"{text!r} is not a duration like 6h, 90m or 2h30m")
    days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(seconds=1) <= duration <= MAX_DURATION:
        raise TimeRefused(f"{text!r} is not between a second and {MAX_DURATION.days} days")
    return duration


def parse_local_time(text: str) -> datetime:
    """Parse a naive date and time of ISO 8601, seconds optional: `2026-12-01T09:00`. Raises TimeRefused."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        raise TimeRefused(f"{text!r} is not a date and time like 2026-12-01T09:00") from None
    if len(text.strip()) <= 10:
        raise TimeRefused(f"{text!r} names a day; an hour is needed too, like {text.strip()}T09:00")
    if local.tzinfo is not None:
        raise TimeRefused(f"{text!r} carries an offset; give local time, and the zone by its name")
    return local


def parse_day(text: str) -> date | None:
    """Parse a date of ISO 8601 without a time: `2026-12-01`. None for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Midnight of a day in a time zone, aware. TimeRefused at the ends of the calendar, which UTC cannot express."""
    try:
        midnight = datetime.combine(day, time(), zone)
        (midnight + timedelta(days=2)).astimezone(UTC)
        midnight.astimezone(UTC)
    except OverflowError:
        raise TimeRefused(f"{day.isoformat()} is beyond the calendar") from None
    return midnight


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name such as Europe/Berlin. TimeRefused for other names, and for EST, MST and HST."""
    if alternative := _FIXED_OFFSET_ZONES.get(name.strip().upper()):
        raise TimeRefused(f"{name!r} has no summer time, which few places do without; use a name like {alternative}")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TimeRefused(f"{name!r} is not a time zone; use a name like Europe/Berlin") from None


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a naive local time, in UTC. Of a repeated hour (autumn) it is the first.

    Raises TimeRefused for an hour that the clock skips (spring).
    """
    aware = local.replace(tzinfo=zone, fold=0)
    try:
        instant = aware.astimezone(UTC)
        shown = instant.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        raise TimeRefused(f"{local.isoformat(timespec='minutes')} is beyond the calendar") from None
    if shown != local:
        raise TimeRefused(f"{local.isoformat(timespec='minutes')} does not exist in {zone.key}: the clock skips it")
    return instant
