"""Dates and times of events in each language."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mailer.domain.event import Event
from mailer.mail.compose.event_dates import EventDateText, format_event_date


def event(zone: str) -> Event:
    starts_at = datetime(2026, 12, 4, 19, 0, tzinfo=ZoneInfo(zone))
    return Event(name="Harvest forum", place="The old mill", starts_at=starts_at, zone=zone)


@pytest.mark.parametrize(
    ("language", "when"),
    [
        ("en", "Friday, 4 December 2026, 19:00"),
        ("de", "Freitag, 4. Dezember 2026, 19:00"),
        ("tr", "4 Aralık 2026 Cuma 19:00"),
        ("pt-br", "sexta-feira, 4 de dezembro de 2026 19:00"),
    ],
)
def test_the_time_is_in_the_zone_of_the_place_and_the_language_of_the_reader(language, when):
    assert format_event_date(event("Europe/Berlin"), language).when == when


@pytest.mark.parametrize(
    ("language", "day", "days"),
    [
        ("en", "Saturday, 8 May 2027", "Saturday, 8 May 2027 – Sunday, 9 May 2027"),
        ("de", "Samstag, 8. Mai 2027", "Samstag, 8. Mai 2027 – Sonntag, 9. Mai 2027"),
        ("tr", "8 Mayıs 2027 Cumartesi", "8 Mayıs 2027 Cumartesi – 9 Mayıs 2027 Pazar"),
        ("ar", "السبت، 8 مايو 2027", "السبت، 8 مايو 2027 – الأحد، 9 مايو 2027"),
        ("zh", "2027年5月8日星期六", "2027年5月8日星期六 – 2027年5月9日星期日"),
        ("fr", "samedi 8 mai 2027", "samedi 8 mai 2027 – dimanche 9 mai 2027"),
        ("it", "sabato 8 maggio 2027", "sabato 8 maggio 2027 – domenica 9 maggio 2027"),
        ("pt", "sábado, 8 de maio de 2027", "sábado, 8 de maio de 2027 – domingo, 9 de maio de 2027"),
        ("ru", "суббота, 8 мая 2027\u202fг.", "суббота, 8 мая 2027\u202fг. — воскресенье, 9 мая 2027\u202fг."),
        ("es", "sábado, 8 de mayo de 2027", "sábado, 8 de mayo de 2027 – domingo, 9 de mayo de 2027"),
    ],
)
def test_a_day_without_an_hour_names_no_hour_and_no_zone(language, day, days):
    zone = ZoneInfo("Europe/Berlin")
    one = Event(name="Fair", place="", starts_at=datetime(2027, 5, 8, tzinfo=zone), all_day=True, zone=zone.key)
    two = replace(one, ends_at=datetime(2027, 5, 9, tzinfo=zone))

    assert format_event_date(one, language) == EventDateText(when=day, city=None, zone_name="")
    assert format_event_date(replace(one, ends_at=one.starts_at), language).when == day
    assert format_event_date(two, language).when == days


def test_an_end_names_its_day_only_if_it_is_another_day():
    evening = event("Europe/Berlin")
    late, later = evening.starts_at.replace(hour=21), evening.starts_at.replace(day=5, hour=1)

    assert format_event_date(replace(evening, ends_at=late), "de").when == "Freitag, 4. Dezember 2026, 19:00 – 21:00"
    assert (
        format_event_date(replace(evening, ends_at=later), "de").when
        == "Freitag, 4. Dezember 2026, 19:00 – Samstag, 5. Dezember 2026, 01:00"
    )


def test_twelve_hours_are_used_where_that_is_the_custom():
    assert "7:00" in format_event_date(event("Europe/Berlin"), "en-us").when


@pytest.mark.parametrize(
    ("zone", "language", "city"),
    [
        ("Europe/Istanbul", "tr", "İstanbul"),
        ("America/Argentina/Buenos_Aires", "en", "Buenos Aires"),
        ("UTC", "en", None),
        ("Etc/GMT+3", "en", None),
    ],
)
def test_a_zone_is_named_by_its_city_if_it_has_one(zone, language, city):
    assert format_event_date(event(zone), language).city == city


def test_a_zone_without_a_city_has_a_name():
    assert format_event_date(event("UTC"), "de").zone_name == "Koordinierte Weltzeit"
