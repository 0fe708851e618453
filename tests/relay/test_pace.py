"""The pace of letters, with the clock driven by hand."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.relay.pace import Pace


class HandClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 1000.0

    def read(self):
        return self.now

    async def sleep(self, seconds):
        await asyncio.sleep(0)
        self.now += seconds


async def departures(per_second: float, letters: int) -> list[float]:
    clock = HandClock()
    pace = Pace(per_second, clock.read, clock.sleep)
    gone = []
    for _ in range(letters):
        await pace.take()
        gone.append(clock.now - 1000)
    return gone


async def test_a_seconds_worth_goes_at_once_and_the_rest_a_second_later_each():
    assert await departures(3, 8) == [0, 0, 0, 1, 1, 1, 2, 2]


async def test_less_than_one_a_second_waits_between_letters():
    assert await departures(0.5, 4) == [0, 2, 4, 6]


async def test_without_a_limit_nobody_waits():
    assert await departures(None, 5) == [0] * 5


@given(st.floats(0.05, 50), st.integers(1, 120))
def test_no_second_has_more_than_its_number_and_the_average_is_kept(per_second, letters):
    gone = asyncio.run(departures(per_second, letters))

    for start in gone:
        assert sum(start <= moment < start + 0.999 for moment in gone) <= max(1, -(-per_second // 1))
    assert gone[-1] <= letters / per_second + 1e-6


@pytest.mark.parametrize("per_second", [0, -1, float("nan")])
def test_a_pace_that_would_never_send_is_refused(per_second):
    with pytest.raises(ValueError, match="would never send"):
        Pace(per_second)


async def test_letters_go_in_the_order_in_which_they_asked():
    clock = HandClock()
    pace = Pace(2, clock.read, clock.sleep)
    gone = []

    async def take(number):
        await pace.take()
        gone.append((number, clock.now - 1000))

    async with asyncio.TaskGroup() as tasks:
        for number in range(6):
            tasks.create_task(take(number))

    assert gone == [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2)]


async def test_a_waiter_that_gives_up_costs_the_others_nothing():
    clock = HandClock()
    wake = asyncio.Event()

    async def sleep(seconds):
        await wake.wait()
        clock.now += seconds

    pace = Pace(1, clock.read, sleep)
    await pace.take()
    first, second = asyncio.create_task(pace.take()), asyncio.create_task(pace.take())
    await asyncio.sleep(0)

    first.cancel()
    wake.set()
    await second

    assert first.cancelled()
    assert clock.now == 1001
