"""Until when an invitation to an event makes sense."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from mailer.domain.event import Event

CAIRO = ZoneInfo("Africa/Cairo")


def event(starts_at: datetime, *, all_day: bool) -> Event:
    return Event(name="Tea", place="", starts_at=starts_at, all_day=all_day, zone="Africa/Cairo")


def test_an_invitation_is_too_late_once_the_event_has_begun():
    starts_at = datetime(2027, 4, 28, 19, tzinfo=CAIRO)

    assert event(starts_at, all_day=False).invitation_deadline == starts_at


def test_without_an_hour_it_is_too_late_after_the_first_day():
    starts_at = datetime(2027, 4, 28, tzinfo=CAIRO)

    assert event(starts_at, all_day=True).invitation_deadline == datetime(2027, 4, 29, tzinfo=CAIRO)
