"""The hour of an event, as people of a language say it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mailer.domain.event import Event
from mailer.mail.event_words import event_words


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
def test_the_hour_is_that_of_the_places_clock_in_the_readers_language(language, when):
    assert event_words(event("Europe/Berlin"), language).when == when


def test_twelve_hours_are_used_where_that_is_the_custom():
    assert "7:00" in event_words(event("Europe/Berlin"), "en-us").when


@pytest.mark.parametrize(
    ("zone", "language", "city"),
    [
        ("Europe/Istanbul", "tr", "İstanbul"),
        ("America/Argentina/Buenos_Aires", "en", "Buenos Aires"),
        ("UTC", "en", None),
        ("Etc/GMT+3", "en", None),
    ],
)
def test_a_clock_is_called_by_its_city_where_it_has_one(zone, language, city):
    assert event_words(event(zone), language).city == city


def test_a_clock_without_a_city_has_a_name():
    assert event_words(event("UTC"), "de").zone_name == "Koordinierte Weltzeit"
