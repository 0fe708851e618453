"""An hour on somebody's clock, and the same instant in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailer.errors import TimeRefused

MAX_DURATION = timedelta(days=7)
_DURATION = re.compile(r"(?:(\d{1,7})d)?(?:(\d{1,7})h)?(?:(\d{1,7})m)?(?:(\d{1,7})s)?", re.ASCII)
# The tz database has them as fixed offsets, and people mean a place by them.
_FIXED_OFFSET_ZONES = {"EST": "America/New_York", "MST": "America/Denver", "HST": "Pacific/Honolulu"}


def parse_duration(text: str) -> timedelta:
    """A span of a second to seven days: `6h`, `90m`, `2h30m`, `45s`, `2d`; MomentRefused for anything else."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or not match[0]:
        raise TimeRefused(f"{text!r} is not a span of time like 6h, 90m or 2h30m")
    days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(seconds=1) <= duration <= MAX_DURATION:
        raise TimeRefused(f"{text!r} is not between a second and {MAX_DURATION.days} days")
    return duration


def parse_local_time(text: str) -> datetime:
    """A naive date and time from ISO 8601, seconds optional: `2026-12-01T09:00`."""
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
    """The day of an ISO 8601 date without an hour, `2026-12-01`; None for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """A day's midnight on a zone's clock, aware; MomentRefused at the ends of the calendar, where no day follows."""
    try:
        midnight = datetime.combine(day, time(), zone)
        (midnight + timedelta(days=2)).astimezone(UTC)
        midnight.astimezone(UTC)
    except OverflowError:
        raise TimeRefused(f"{day.isoformat()} is beyond the calendar") from None
    return midnight


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name such as Europe/Berlin; MomentRefused for others, and for winter times alone."""
    if alternative := _FIXED_OFFSET_ZONES.get(name.strip().upper()):
        raise TimeRefused(f"{name!r} has no summer time, which few places do without; use a name like {alternative}")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TimeRefused(f"{name!r} is not a time zone; use a name like Europe/Berlin") from None


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a naive local time. A gap (spring) is refused; a repeated hour is its first."""
    aware = local.replace(tzinfo=zone, fold=0)
    try:
        instant = aware.astimezone(UTC)
        shown = instant.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        raise TimeRefused(f"{local.isoformat(timespec='minutes')} is beyond the calendar") from None
    if shown != local:
        raise TimeRefused(f"{local.isoformat(timespec='minutes')} does not exist in {zone.key}: the clock skips it")
    return instant
