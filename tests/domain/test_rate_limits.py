"""How many letters may go, and how a young sender grows into more."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.rate_limits import DAY_S, HOUR_S, Limits, Ramp, RateLease, ramp_limit

NOW = datetime(2027, 3, 1, 8, 30, tzinfo=UTC)
RAMP = Ramp(since=date(2027, 3, 1), first_day=50, growth=1.5)


@pytest.mark.parametrize(
    ("days", "letters"), [(-400, 50), (-1, 50), (0, 50), (1, 75), (2, 112), (3, 168), (10, 2883), (100_000, 10**9)]
)
def test_a_warm_up_grows_from_day_to_day_and_never_below_its_first(days: int, letters: int) -> None:
    assert ramp_limit(RAMP, NOW + timedelta(days=days)) == letters


def test_a_day_of_the_warm_up_begins_at_midnight_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))

    assert ramp_limit(RAMP, datetime(2027, 3, 2, 0, 30, tzinfo=berlin)) == 50
    assert ramp_limit(RAMP, datetime(2027, 3, 2, 1, 0, tzinfo=berlin)) == 75


def test_a_warm_up_that_does_not_grow_stays() -> None:
    assert ramp_limit(Ramp(since=date(2027, 3, 1), first_day=7, growth=1.0), NOW + timedelta(days=1000)) == 7


@given(st.integers(1, 10_000), st.floats(1.0, 10.0), st.integers(0, 5000))
def test_no_day_of_a_warm_up_has_fewer_letters_than_the_one_before(first: int, growth: float, days: int) -> None:
    ramp = Ramp(since=NOW.date(), first_day=first, growth=growth)

    today, tomorrow = (ramp_limit(ramp, NOW + timedelta(days=number)) for number in (days, days + 1))

    assert first <= today <= tomorrow <= 10**9


@pytest.mark.parametrize(
    ("limits", "windows"),
    [
        (Limits(), {}),
        (Limits(per_second=3), {}),
        (Limits(per_hour=100), {HOUR_S: 100}),
        (Limits(per_hour=100, per_day=500), {HOUR_S: 100, DAY_S: 500}),
        (Limits(ramp=RAMP), {DAY_S: 50}),
        (Limits(per_day=20, ramp=RAMP), {DAY_S: 20}),
        (Limits(per_day=2000, ramp=RAMP), {DAY_S: 50}),
    ],
)
def test_the_narrower_of_a_days_limit_and_the_warm_up_counts(limits: Limits, windows: dict[int, int]) -> None:
    assert limits.windows(NOW) == windows


@pytest.mark.parametrize("limits", [Limits(per_second=1), Limits(per_hour=1), Limits(per_day=1), Limits(ramp=RAMP)])
def test_one_limit_of_any_kind_is_a_limit(limits: Limits) -> None:
    assert limits.is_limited
    assert not Limits().is_limited


def test_a_grant_says_when_the_first_that_is_not_in_it_may_go() -> None:
    assert RateLease(letters=3, first_at=NOW, every_s=0.5).next_after() == NOW + timedelta(seconds=1.5)
    assert RateLease(letters=0, first_at=NOW, every_s=0.5).next_after() == NOW
