"""Dates and times as the exports of other software write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial

from mailer.domain.local_time import parse_zone

_EARLIEST_YEAR, _LATEST_YEAR = 1980, 2200
"""Years outside are stand-ins for no date: 0000-00-00, Go's year 1, epoch 0."""
_DAY_ZERO = datetime.fromisoformat("1899-12-30")
"""What spreadsheets count days from."""
_DAY_NUMBERS = range(20_000, 80_000)
_TIME = r"(?:,?[T ]\s*(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?\s*([AaPp]\.?[Mm]\.?)?)?"
_OFFSET = r"(?:\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)(?:\s+\(?[A-Za-z+-][\w+:/-]*\)?)?)?(?:\s+m=\S+)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME}{_OFFSET}", re.ASCII)
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d\d){_TIME}{_OFFSET}", re.ASCII)
_MONTH_NAMED = re.compile(
    rf"(?:[A-Z][a-z]{{2,8}},?\s+)?(?:(\d{{1,2}})\.?[ -]([A-Z][a-z]{{2,8}})\.?|([A-Z][a-z]{{2,8}})\.?\s+(\d{{1,2}}))"
    rf",?[ -](\d{{4}}){_TIME}{_OFFSET}",
    re.ASCII,
)
_RFC_2822 = re.compile(
    r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? (?:[+-]\d{4}|(?:[ECMP][SD]T|UTC?|GMT))\b.*"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBER = re.compile(r"(\d{5,13})(\.\d{1,15})?", re.ASCII)


def parse_export_time(text: str, *, zone: str | None = None, day_first: bool | None = None) -> datetime | None:
    """The instant of a text, in UTC; None for one that is no date, is ambiguous, or has no zone while `zone` is None.

    Read are ISO 8601, Go's and PostgreSQL's forms, RFC 2822, English months, seconds and milliseconds of the epoch,
    and spreadsheets' numbers of days. A day alone is its midnight in `zone`, or in UTC. 3/4/2024 is read where
    `day_first` says how, or only one order is possible; with dots the day is first. Raises TimeRefused for a `zone`
    that does not exist.
    """
    text = text.strip()
    if len(text) == 19 and text[4] == "-" and text[16] == ":":
        try:
            return _in_zone(datetime.fromisoformat(text), zone)
        except ValueError:
            pass
    parse = _parse_number if _NUMBER.fullmatch(text) else partial(_parse_written, day_first=day_first)
    try:
        return parse(text, zone=zone)
    except (ValueError, OverflowError):
        return None


def _parse_number(text: str, zone: str | None) -> datetime | None:
    digits = len(text.partition(".")[0])
    if digits in {9, 10}:
        return _plausible(datetime.fromtimestamp(float(text), UTC))
    if digits in {12, 13}:
        return _plausible(datetime.fromtimestamp(float(text) / 1000, UTC))
    if digits == 5 and int(float(text)) in _DAY_NUMBERS:
        local = _DAY_ZERO + timedelta(seconds=round(float(text) * 86400))
        return _in_zone(local, zone if "." in text else zone or "UTC")
    return None


def _parse_written(text: str, zone: str | None, *, day_first: bool | None) -> datetime | None:
    if match := _YEAR_FIRST.fullmatch(text):
        year, _, month, day, *rest = match.groups()
        return _instant(int(year), int(month), int(day), rest, zone)
    if match := _YEAR_LAST.fullmatch(text):
        first, separator, second, year, *rest = match.groups()
        year = year if len(year) == 4 else f"20{year}"
        order = _day_and_month(int(first), int(second), True if separator == "." else day_first)
        return _instant(int(year), order[1], order[0], rest, zone) if order else None
    if _RFC_2822.fullmatch(text):
        instant = parsedate_to_datetime(text)
        return _plausible(instant.astimezone(UTC)) if instant.tzinfo else _in_zone(instant, zone)
    if match := _MONTH_NAMED.fullmatch(text):
        day_before, month_after, month_before, day_after, year, *rest = match.groups()
        name, day = (month_after or month_before).lower(), day_before or day_after
        return _instant(int(year), _MONTHS.index(name[:3]) + 1, int(day), rest, zone)
    return None


def _day_and_month(first: int, second: int, day_first: bool | None) -> tuple[int, int] | None:
    """The day and the month; None where either order is possible."""
    if first > 12 or first == second:
        return first, second
    if second > 12:
        return second, first
    if day_first is None:
        return None
    return (first, second) if day_first else (second, first)


def _instant(year: int, month: int, day: int, rest: list[str | None], zone: str | None) -> datetime | None:
    hour, minute, second, fraction, half, offset = rest
    midnight = datetime.combine(date(year, month, day), time())
    if hour is None:
        return _in_zone(midnight, zone or "UTC")
    hours = int(hour) % 12 + 12 * (half[0] in "Pp") if half else int(hour)
    microsecond = int(f"{fraction or '0':0<6}"[:6])
    local = midnight.replace(hour=hours, minute=int(minute or 0), second=int(second or 0), microsecond=microsecond)
    if offset is None:
        return _in_zone(local, zone)
    return _plausible(local.replace(tzinfo=_parse_offset(offset)).astimezone(UTC))


def _parse_offset(offset: str) -> tzinfo:
    if offset[0] not in "+-":
        return UTC
    digits = offset[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def _in_zone(local: datetime, zone: str | None) -> datetime | None:
    if zone is None:
        return None
    if zone == "UTC":
        return _plausible(local.replace(tzinfo=UTC))
    return _plausible(local.replace(tzinfo=_find_zone(zone)).astimezone(UTC))


_find_zone = lru_cache(maxsize=64)(parse_zone)


def _plausible(instant: datetime) -> datetime | None:
    return instant if _EARLIEST_YEAR <= instant.year < _LATEST_YEAR else None
