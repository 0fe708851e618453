"""An hour on somebody's clock, and the same instant in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailer.errors import MomentRefused


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


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name such as Europe/Berlin."""
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
