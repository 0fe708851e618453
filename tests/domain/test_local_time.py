"""Parsing local times, time zones and durations, and conversion to UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.local_time import parse_duration, parse_local_time, parse_zone, to_utc
from mailer.errors import TimeRefused

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]


@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)), st.sampled_from(ZONES))
def test_a_local_time_converts_to_utc_and_back_or_is_refused(local: datetime, name: str) -> None:
    zone = parse_zone(name)
    shown = {
        local.replace(tzinfo=zone, fold=fold).astimezone(UTC).astimezone(zone).replace(tzinfo=None) for fold in (0, 1)
    }

    try:
        instant = to_utc(local, zone)
    except TimeRefused:
        assert local not in shown
    else:
        assert instant.astimezone(zone).replace(tzinfo=None) == local


def test_a_repeated_hour_is_the_first_of_both() -> None:
    assert to_utc(datetime(2027, 10, 31, 2, 30), parse_zone("Europe/Berlin")) == datetime(
        2027, 10, 31, 0, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "text", ["tomorrow", "", "2027-03-01", "2027-03-01T09:00+01:00", "2027-03-01T09:00Z", "2027-02-30T09:00"]
)
def test_text_that_is_no_local_time_is_refused(text: str) -> None:
    with pytest.raises(TimeRefused):
        parse_local_time(text)


def test_seconds_are_optional() -> None:
    assert parse_local_time("2027-03-01T09:00") == parse_local_time("2027-03-01 09:00:00") == datetime(2027, 3, 1, 9)


@pytest.mark.parametrize("name", ["Berlin", "", "../../etc/passwd", "Europe/Berlin\x00", "EUROPE/NOWHERE"])
def test_a_time_zone_has_an_iana_name(name: str) -> None:
    with pytest.raises(TimeRefused, match="not a time zone"):
        parse_zone(name)


@given(st.integers(1, 7 * 86400))
def test_a_duration_may_be_written_in_any_units(seconds: int) -> None:
    hours, rest = divmod(seconds, 3600)
    parts = f"{hours}h{rest // 60}m{rest % 60}s"

    assert parse_duration(parts) == parse_duration(f"{seconds}s") == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", " ", "6", "h", "6 h", "6h 30m", "30m6h", "-1h", "1.5h", "0s", "0h0m", "7d1s", "8d"]
)
def test_text_that_is_no_duration_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(TimeRefused):
        parse_duration(text)


@given(st.text())
def test_any_text_is_a_duration_or_is_refused(text: str) -> None:
    try:
        span = parse_duration(text)
    except TimeRefused:
        return
    assert timedelta(seconds=1) <= span <= timedelta(days=7)


@pytest.mark.parametrize(("name", "place"), [("EST", "America/New_York"), ("mst", "America/Denver")])
def test_a_fixed_offset_zone_is_refused_and_a_place_is_named(name: str, place: str) -> None:
    with pytest.raises(TimeRefused, match=f"no summer time.*{place}"):
        parse_zone(name)
