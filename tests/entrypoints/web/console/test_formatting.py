"""Numbers and hours of the console: in the reader's language and zone, and in the list's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.domain.language import parse_language
from mailer.entrypoints.web.console.formatting import Formatter
from mailer.entrypoints.web.console.organiser_form import language_name

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
NINE = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


def test_an_hour_is_told_with_its_place_and_its_distance() -> None:
    assert Formatter("en", "Europe/Berlin", NOW).when(NINE) == "Tue 1 Dec, 09:00 Berlin (in 4 days)"
    assert Formatter("de", "Europe/Berlin", NOW).when(NINE) == "Di. 1. Dez., 09:00 Berlin (in 4 Tagen)"


def test_the_lists_hour_stands_beside_the_readers_where_they_differ() -> None:
    fmt = Formatter("tr", "Europe/Berlin", NOW)

    assert "11:00 İstanbul" in fmt.when(NINE, "Europe/Istanbul")
    assert fmt.when(NINE, "Europe/Paris") == fmt.when(NINE)


def test_another_year_is_named() -> None:
    assert "2028" in Formatter("en", "UTC", NOW).moment(datetime(2028, 1, 3, tzinfo=UTC))


@pytest.mark.parametrize(("language", "shown"), [("en", "18,204"), ("de", "18.204"), ("tr", "18.204")])
def test_numbers_have_the_separators_of_the_language(language: str, shown: str) -> None:
    assert Formatter(language, "UTC", NOW).number(18204) == shown


def test_a_share_of_nothing_is_left_out() -> None:
    assert Formatter("en", "UTC", NOW).percent(1, 0) == ""
    assert Formatter("en", "UTC", NOW).percent(1, 3) == "33.3%"


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    language=st.sampled_from(["en", "de", "tr", "ar"]),
    seconds=st.integers(-(10**9), 10**9),
)
def test_every_zone_can_be_shown_in_every_language(zone: str, language: str, seconds: int) -> None:
    fmt = Formatter(language, zone, NOW)

    assert fmt.when(NOW + timedelta(seconds=seconds), "Asia/Kathmandu")


@given(st.from_regex(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,2}", fullmatch=True))
@example("tlh")
@example("zz")
@example("de-1996")
def test_a_language_that_nobody_has_named_is_called_by_its_tag(tag: str) -> None:
    # A subscriber's language may be any tag: one such must not keep a page from everybody.
    assert parse_language(tag) == tag

    assert Formatter("en", "UTC", NOW).language_name(tag)
    assert language_name(tag)


def test_a_page_names_even_a_language_that_does_not_exist() -> None:
    assert Formatter("en", "UTC", NOW).language_name("zz") == language_name("zz") == "zz"
