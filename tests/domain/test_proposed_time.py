"""The hour that is proposed: the campaign's own, the list's habit, or the next full hour; never one that is past."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.local_time import parse_zone, to_utc
from mailer.domain.proposed_time import propose_time

BERLIN, KATHMANDU = "Europe/Berlin", "Asia/Kathmandu"
NOW = datetime(2027, 3, 1, 8, 20, tzinfo=UTC)  # a Monday
DRAFT = Campaign(
    id=7,
    mailing_list_id=1,
    state=CampaignState.DRAFT,
    subject="Come to the forum",
    event_starts_at=None,
    scheduled_at=None,
    local_time=None,
    zone=None,
    launched_at=None,
    launch_cursor=0,
    launch_ceiling=None,
    audience=0,
    corrections=0,
    when_uncertain="resend",
    over_s=None,
    anyway=False,
    remark=None,
)
LAST = replace(DRAFT, id=6, state=CampaignState.SENT, local_time="2027-02-18T18:30:00", zone=BERLIN)  # a Thursday


def test_without_a_campaign_before_it_is_the_next_full_hour_in_the_zone_of_the_list() -> None:
    proposed = propose_time(DRAFT, None, BERLIN, NOW)

    assert (proposed.local_time, proposed.zone, proposed.is_habit) == (datetime(2027, 3, 1, 10, 0), BERLIN, False)


def test_a_full_hour_that_is_nearly_there_leaves_no_time_to_think() -> None:
    assert propose_time(DRAFT, None, "UTC", NOW.replace(minute=55)).local_time == datetime(2027, 3, 1, 10, 0)


def test_it_is_the_weekday_and_hour_of_the_last_campaign_of_the_list() -> None:
    proposed = propose_time(DRAFT, LAST, "UTC", NOW)

    assert (proposed.local_time, proposed.zone, proposed.is_habit) == (datetime(2027, 3, 4, 18, 30), BERLIN, True)


def test_on_that_weekday_after_the_hour_it_is_a_week_later() -> None:
    thursday_evening = datetime(2027, 3, 4, 17, 25, tzinfo=UTC)

    assert propose_time(DRAFT, LAST, "UTC", thursday_evening).local_time == datetime(2027, 3, 11, 18, 30)


def test_an_hour_that_the_clock_skips_is_proposed_a_week_later() -> None:
    at_night = replace(LAST, local_time="2027-03-21T02:30:00")
    eve = datetime(2027, 3, 27, 12, 0, tzinfo=UTC)

    assert propose_time(DRAFT, at_night, "UTC", eve).local_time == datetime(2027, 4, 4, 2, 30)


def test_a_campaign_that_was_sent_at_once_is_no_habit() -> None:
    at_once = replace(LAST, local_time="2027-02-18T17:31:12", zone="UTC")

    assert not propose_time(DRAFT, at_once, BERLIN, NOW).is_habit


def test_an_hour_of_its_own_stays_while_it_is_ahead() -> None:
    own = replace(DRAFT, local_time="2027-03-09T09:00:00", zone=BERLIN)

    assert propose_time(own, LAST, "UTC", NOW).local_time == datetime(2027, 3, 9, 9, 0)
    assert propose_time(own, LAST, "UTC", NOW + timedelta(days=20)).is_habit


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    last=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    zone=st.sampled_from([BERLIN, KATHMANDU, "UTC", "America/New_York", "Pacific/Apia"]),
)
@pytest.mark.parametrize("has_last", [True, False])
def test_whatever_is_proposed_exists_and_is_ahead(now: datetime, last: datetime, zone: str, has_last: bool) -> None:
    before = replace(LAST, local_time=last.replace(second=0).isoformat(timespec="seconds"), zone=BERLIN)

    proposed = propose_time(DRAFT, before if has_last else None, zone, now)

    at = to_utc(proposed.local_time, parse_zone(proposed.zone))
    assert at >= now + timedelta(minutes=10)
    assert proposed.is_habit or proposed.local_time.minute == 0
    assert proposed.is_habit or at - now <= timedelta(hours=3)
    if proposed.is_habit and last < now.astimezone(ZoneInfo(BERLIN)).replace(tzinfo=None):
        assert proposed.local_time.weekday() == last.weekday()
        assert at - now <= timedelta(days=15)
