"""An event's hour in words, as its place's clock shows it and the reader's language says it."""

from __future__ import annotations

from dataclasses import dataclass

from babel import Locale
from babel.dates import format_date, format_time, get_datetime_format, get_timezone_location, get_timezone_name

from mailer.domain.event import Event

# English without a country: the day before the month and 24 hours, which nobody misreads.
_ENGLISH = Locale("en", "150")


@dataclass(frozen=True, kw_only=True, slots=True)
class EventWords:
    """When it is."""

    when: str
    """Such as "Friday, 4 December 2026, 19:00"."""
    city: str | None
    """Whose clock that is; None for a zone that is no city's."""
    zone_name: str
    """Such as "Central European Standard Time"."""


def event_words(event: Event, language: str) -> EventWords:
    """The event's date and hour in `language` (a tag Babel knows), 12 or 24 hours as is the custom there."""
    locale = _ENGLISH if language == "en" else Locale.parse(language, sep="-")
    starts_at = event.starts_at
    day = format_date(starts_at, "full", locale)
    hour = format_time(starts_at, "short", locale=locale)
    joined = str(get_datetime_format("medium", locale)).replace("'", "")
    area, _, city = event.zone.partition("/")
    if city and area != "Etc":
        city = get_timezone_location(event.zone, locale=locale, return_city=True).rpartition("/")[2]
    return EventWords(
        when=joined.replace("{1}", day).replace("{0}", hour),
        city=city if city and area != "Etc" else None,
        zone_name=get_timezone_name(starts_at, locale=locale),
    )
