"""An event's date and time in words, in the reader's language and in the event's own time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from babel import Locale
from babel.dates import format_date, format_time, get_datetime_format, get_timezone_location, get_timezone_name

from mailer.domain.event import Event

# en-150 (English in Europe): the day before the month and 24 hours, which nobody misreads.
_ENGLISH = Locale("en", "150")
_THIN_SPACE = "\u2009"
_RANGE = "{0} – {1}"


@dataclass(frozen=True, kw_only=True, slots=True)
class EventDateText:
    """The date and time of an event, for a letter."""

    when: str
    """Such as "Friday, 4 December 2026, 19:00", or only the day."""
    city: str | None
    """The city of the time zone; None if the zone has none, or if the event has no hour."""
    zone_name: str
    """Such as "Central European Standard Time"; "" where there is no hour."""


def format_event_date(event: Event, language: str) -> EventDateText:
    """The event's date and time in `language` (a tag that Babel knows), with 12 or 24 hours as is usual there."""
    locale = _ENGLISH if language == "en" else Locale.parse(language, sep="-")
    when = _format_when(event, locale)
    if event.all_day:
        return EventDateText(when=when, city=None, zone_name="")
    area, _, city = event.zone.partition("/")
    if city and area != "Etc":
        city = get_timezone_location(event.zone, locale=locale, return_city=True).rpartition("/")[2]
    return EventDateText(
        when=when,
        city=city if city and area != "Etc" else None,
        zone_name=get_timezone_name(event.starts_at, locale=locale),
    )


def _format_when(event: Event, locale: Locale) -> str:
    start, end = event.starts_at, event.ends_at
    day = format_date(start, "full", locale)
    if event.all_day:
        return _format_range(locale, day, format_date(end, "full", locale)) if end and end != start else day
    hour = _format_hour(start, locale)
    if end is None:
        return _join_day_and_hour(locale, day, hour)
    if end.date() == start.date():
        return _join_day_and_hour(locale, day, _format_range(locale, hour, _format_hour(end, locale)))
    last = _join_day_and_hour(locale, format_date(end, "full", locale), _format_hour(end, locale))
    return _format_range(locale, _join_day_and_hour(locale, day, hour), last)


def _format_hour(moment: datetime, locale: Locale) -> str:
    return str(format_time(moment, "short", locale=locale))


def _join_day_and_hour(locale: Locale, day: str, hour: str) -> str:
    joined = str(get_datetime_format("medium", locale)).replace("'", "")
    return joined.replace("{1}", day).replace("{0}", hour)


def _format_range(locale: Locale, first: str, last: str) -> str:
    pattern = str(locale.interval_formats.get(None, _RANGE)).replace(_THIN_SPACE, " ")
    return pattern.replace("{0}", first).replace("{1}", last)
