"""Time left: from a rate over the last seconds, and not before the last hold ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.time_left import WINDOW_S, RateMeter, seconds_left

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)


def test_letters_that_wait_take_as_long_as_the_rate_says() -> None:
    assert seconds_left(600, 20.0, (), NOW) == 30


def test_a_hold_that_ends_later_counts() -> None:
    assert seconds_left(600, 20.0, (NOW + timedelta(minutes=5), NOW - timedelta(hours=1)), NOW) == 300


def test_without_a_rate_nothing_can_be_said() -> None:
    assert seconds_left(600, None, (), NOW) is None
    assert seconds_left(600, 0.0, (), NOW) is None


def test_when_nothing_waits_it_is_over_whatever_is_held() -> None:
    assert seconds_left(0, None, (NOW + timedelta(hours=1),), NOW) == 0


def test_a_rate_is_known_after_two_seconds() -> None:
    meter = RateMeter()
    meter.add(0, 100)
    meter.add(1, 150)
    early = meter.rate
    meter.add(2, 200)

    assert (early, meter.rate) == (None, 50)


def test_letters_that_wait_again_begin_a_new_rate() -> None:
    meter = RateMeter()
    for second in range(5):
        meter.add(second, 100 * second)
    meter.add(5, 10)

    assert meter.rate is None


@given(st.lists(st.tuples(st.floats(0.1, 3), st.integers(0, 500)), min_size=60, max_size=60))
def test_a_rate_is_that_of_the_last_seconds(steps: list[tuple[float, int]]) -> None:
    meter, seen, at, number = RateMeter(), [], 0.0, 0
    for pause, more in steps:
        at, number = at + pause, number + more
        meter.add(at, number)
        seen.append((at, number))

    first = max((one for one in seen if at - one[0] >= WINDOW_S), default=seen[0])
    assert meter.rate == pytest.approx((number - first[1]) / (at - first[0]))
