from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from mailer.domain.event import Event
from mailer.mail.media.event_calendar import event_calendar

_ZONE = "Europe/Istanbul"


def _event(**more: object) -> Event:
    values = {"name": "Harvest forum", "place": "The old mill", "zone": _ZONE}
    values["starts_at"] = datetime(2026, 12, 4, 19, tzinfo=ZoneInfo(_ZONE))  # type: ignore[assignment]
    return Event(**(values | more))  # type: ignore[arg-type]


def _entry(event: Event, url: str | None = None) -> object:
    return Calendar.from_ical(event_calendar(event, "campaign-7@lists.example.org", url).content).walk("VEVENT")[0]


def test_an_event_has_its_hour_wherever_its_reader_is() -> None:
    ends = datetime(2026, 12, 4, 21, 30, tzinfo=ZoneInfo(_ZONE))

    entry = _entry(_event(ends_at=ends), "https://forum.example.org/join")

    assert entry["dtstart"].dt == datetime(2026, 12, 4, 16, tzinfo=ZoneInfo("UTC"))  # type: ignore[index]
    assert entry["dtend"].dt == ends  # type: ignore[index]
    assert (str(entry["summary"]), str(entry["location"])) == ("Harvest forum", "The old mill")  # type: ignore[index]
    assert (str(entry["uid"]), str(entry["url"])) == (  # type: ignore[index]
        "campaign-7@lists.example.org",
        "https://forum.example.org/join",
    )


def test_an_event_of_whole_days_ends_with_its_last_day() -> None:
    first, last = (datetime(2026, 12, day, tzinfo=ZoneInfo(_ZONE)) for day in (4, 6))

    several = _entry(_event(starts_at=first, ends_at=last, all_day=True))
    one = _entry(_event(starts_at=first, all_day=True))

    assert (several["dtstart"].dt, several["dtend"].dt) == (date(2026, 12, 4), date(2026, 12, 7))  # type: ignore[index]
    assert (one["dtstart"].dt, one["dtend"].dt) == (date(2026, 12, 4), date(2026, 12, 5))  # type: ignore[index]


def test_it_asks_for_no_answer_and_is_the_same_each_time() -> None:
    file = event_calendar(_event(), "campaign-7@lists.example.org")

    assert b"METHOD" not in file.content
    assert file == event_calendar(_event(), "campaign-7@lists.example.org")
    assert (file.media_type, file.name, file.shown_name) == ("text/calendar", "harvest-forum.ics", "Harvest forum.ics")


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=120))
def test_words_in_any_script_come_through_in_short_lines(name: str) -> None:
    file = event_calendar(_event(name=name, place=name), "a@b")

    entry = Calendar.from_ical(file.content).walk("VEVENT")[0]
    assert (str(entry["summary"]), str(entry["location"])) == (name, name)
    assert max(map(len, file.content.split(b"\r\n"))) <= 75
    assert file.content.decode().isprintable() or b"\r\n" in file.content
