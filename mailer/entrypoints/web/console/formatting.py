"""Numbers and hours as an organiser reads them: in her language and zone, hours always with zone and distance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time, format_timedelta, get_timezone_location
from babel.numbers import format_decimal, format_percent

_CLOSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Formatter:
    """Formats for one reader. `zone` is an IANA name; `now` is the current time in UTC."""

    language: str
    zone: str
    now: datetime

    @property
    def locale(self) -> Locale:
        """The locale of the language; for English the one with hours from 00 to 23."""
        return Locale("en", "GB") if self.language == "en" else Locale.parse(self.language, sep="-")

    def number(self, number: float) -> str:
        """A number with its separators: 18,204."""
        return format_decimal(number, locale=self.locale)

    def language_name(self, tag: str) -> str:
        """The name of a language, in the reader's: Turkish; the tag where nobody has named it."""
        try:
            return Locale.parse(tag, sep="-").get_display_name(self.locale) or tag
        except (ValueError, UnknownLocaleError):  # which is no LookupError
            return tag

    def percent(self, part: float, whole: float) -> str:
        """A share of a whole with one decimal; empty for a share of nothing."""
        return format_percent(part / whole, format="#,##0.0%", locale=self.locale) if whole else ""

    def day(self, day: date) -> str:
        """A day with its weekday: Tue, Dec 1."""
        return format_date(day, format=self._day_pattern(day), locale=self.locale)

    def hour(self, at: datetime, zone: str | None = None) -> str:
        """The hour of an instant and the city of its zone, by default the reader's: 09:00 Berlin."""
        zone = zone or self.zone
        return f"{format_time(at, 'short', tzinfo=ZoneInfo(zone), locale=self.locale)} {self.city(zone)}"

    def time(self, at: datetime) -> str:
        """The hour of an instant in the reader's zone alone, where the page has named the zone: 09:00."""
        return format_time(at, "short", tzinfo=ZoneInfo(self.zone), locale=self.locale)

    def month(self, day: date) -> str:
        """The month of a day: March 2027."""
        return format_date(day, "LLLL y", locale=self.locale)

    def weekday(self, day: date) -> str:
        """The weekday of a day, short: Tue."""
        return format_date(day, "ccc", locale=self.locale)

    def city(self, zone: str) -> str:
        """The place that a zone is named after."""
        return "UTC" if zone in {"UTC", "Etc/UTC"} else get_timezone_location(zone, self.locale, return_city=True)

    def moment(self, at: datetime, zone: str | None = None) -> str:
        """Day and hour of an instant: Tue, Dec 1, 09:00 Berlin."""
        local = at.astimezone(ZoneInfo(zone or self.zone))
        return f"{self.day(local.date())}, {self.hour(at, zone)}"

    def distance(self, at: datetime) -> str:
        """How far an instant is from now: in 4 days; 2 hours ago."""
        return format_timedelta(at - self.now, add_direction=True, threshold=1.2, locale=self.locale)

    def span(self, seconds: float) -> str:
        """A span of time, rounded to its largest unit: 3 hours."""
        return format_timedelta(timedelta(seconds=seconds), threshold=1.2, locale=self.locale)

    def when(self, at: datetime, zone: str | None = None) -> str:
        """Day, hour, and distance, and the hour in a second zone if it differs: the list's beside the reader's."""
        other = ""
        if zone and _offset(zone, at) != _offset(self.zone, at):
            other = f"; {self.hour(at, zone)}"
        return f"{self.moment(at)} ({self.distance(at)}{other})"

    def stamp(self, at: datetime) -> str:
        """Day, hour and minute in full, in the reader's zone, for logs."""
        return format_datetime(at, "yyyy-MM-dd HH:mm:ss", tzinfo=ZoneInfo(self.zone), locale=self.locale)

    def _day_pattern(self, day: date) -> str:
        year = "" if day.year == self.now.astimezone(UTC).year else " y"
        return {"de": f"EEE d. MMM{year}", "tr": f"d MMM{year} EEE"}.get(self.language, f"EEE d MMM{year}")


def _offset(zone: str, at: datetime) -> timedelta | None:
    return at.astimezone(ZoneInfo(zone)).utcoffset()
