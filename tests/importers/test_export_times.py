"""Reading dates and times of exports: forms, zones, and texts that say no date for sure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import TimeRefused
from mailer.importers.export_times import parse_export_time

MOMENTS = st.datetimes(
    datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2100-01-01"), timezones=st.just(UTC)
).map(lambda moment: moment.replace(microsecond=0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-05-02T10:11:12.123456+02:00", "2023-05-02T08:11:12.123456+00:00"),
        ("2023-05-02T10:11:12.123Z", "2023-05-02T10:11:12.123000+00:00"),
        ("2023-05-02T10:11+02", "2023-05-02T08:11:00+00:00"),
        ("2023-05-02 10:11:12.123456 +0200 CEST", "2023-05-02T08:11:12.123456+00:00"),
        ("2023-05-02 10:11:12.123456789 +0000 UTC m=+0.004", "2023-05-02T10:11:12.123456+00:00"),
        ("2023-05-02 10:11:12 +0545 +0545", "2023-05-02T04:26:12+00:00"),
        ("2023-05-02 10:11:12.5+00", "2023-05-02T10:11:12.500000+00:00"),
        ("2023-05-02 10:11:12 UTC", "2023-05-02T10:11:12+00:00"),
        ("2023/05/02 10:11:12 -0330", "2023-05-02T13:41:12+00:00"),
        ("Tue, 02 May 2023 10:11:12 +0200", "2023-05-02T08:11:12+00:00"),
        ("2 May 2023 10:11:12 GMT", "2023-05-02T10:11:12+00:00"),
        ("1683022272", "2023-05-02T10:11:12+00:00"),
        ("1683022272000", "2023-05-02T10:11:12+00:00"),
        ("45048", "2023-05-02T00:00:00+00:00"),
        ("2023-05-02", "2023-05-02T00:00:00+00:00"),
        ("May 2, 2023", "2023-05-02T00:00:00+00:00"),
        ("2-May-2023", "2023-05-02T00:00:00+00:00"),
        ("Tuesday, May 2, 2023", "2023-05-02T00:00:00+00:00"),
        ("02.05.2023", "2023-05-02T00:00:00+00:00"),
        ("2.5.23", "2023-05-02T00:00:00+00:00"),
        ("31/12/2023", "2023-12-31T00:00:00+00:00"),
        ("12/31/2023", "2023-12-31T00:00:00+00:00"),
        ("5/5/2023", "2023-05-05T00:00:00+00:00"),
    ],
)
def test_an_instant_that_is_certain_needs_no_zone_and_no_order(text: str, expected: str) -> None:
    instant = parse_export_time(text)

    assert instant is not None
    assert (instant.isoformat(), instant.tzinfo) == (expected, UTC)


@pytest.mark.parametrize(
    "text",
    ["2023-05-02 10:11:12", "2023-05-02T10:11", "5/13/2023 3:04 PM", "45048.5", "Nov 20, 2026 10:11 AM"],
)
def test_a_time_without_a_zone_needs_one(text: str) -> None:
    assert parse_export_time(text) is None

    in_berlin, in_utc = (parse_export_time(text, zone=zone) for zone in ("Europe/Berlin", "UTC"))

    assert in_berlin is not None
    assert in_utc is not None
    assert timedelta(hours=1) <= in_utc - in_berlin <= timedelta(hours=2)


@pytest.mark.parametrize("text", ["3/4/2024", "03-04-2024", "3/4/24"])
def test_a_day_that_may_be_a_month_needs_the_order(text: str) -> None:
    found = {order: parse_export_time(text, day_first=order) for order in (None, True, False)}

    assert found == {None: None, True: datetime(2024, 4, 3, tzinfo=UTC), False: datetime(2024, 3, 4, tzinfo=UTC)}


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "0",
            "-",
            "never",
            "0000-00-00 00:00:00",
            "0001-01-01T00:00:00Z",
            "1970-01-01",
            "2023-02-30",
            "31/31/2023",
        ],
        *["2023-05-02T25:00:00Z", "99999", "12345678", "20230502", "2023-05-02 10:11:12 +9900", "Smarch 1, 2023"],
        *["2023-05", "9" * 400, "٢٠٢٣-٠٥-٠٢", "2023-05-02\n2023-05-03"],
    ],
)
def test_what_is_no_date_gives_none(text: str) -> None:
    assert parse_export_time(text, zone="UTC", day_first=True) is None


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TimeRefused, match="Europe/Atlantis"):
        parse_export_time("2023-05-02 10:11:12", zone="Europe/Atlantis")


@given(MOMENTS)
def test_all_forms_of_one_moment_are_read_alike(moment: datetime) -> None:
    forms = [
        moment.isoformat(),
        format_datetime(moment),
        moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
        moment.strftime("%d-%m-%Y %H:%M:%S"),
        moment.strftime("%d %b %Y %I:%M:%S %p"),
        str(int(moment.timestamp())),
    ]

    assert {parse_export_time(form, zone="UTC", day_first=True) for form in forms} == {moment}


@given(st.text(max_size=40))
def test_no_text_raises(text: str) -> None:
    found = parse_export_time(text, zone="Europe/Berlin", day_first=False)

    assert found is None or found.tzinfo is UTC
