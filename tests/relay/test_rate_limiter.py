"""RateLimiter: when letters to one relay start, with the clock driven by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.rate_limits import RateLease
from mailer.errors import BudgetSpent
from mailer.relay.rate_limiter import RateLimiter

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)


class HandClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def read(self) -> float:
        return 1000 + self.passed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.passed += seconds


class Budget:
    """Grants that were told before; how often one was asked for."""

    def __init__(self, *grants: RateLease) -> None:
        self.grants = list(grants)

    async def lease(self) -> RateLease:
        await asyncio.sleep(0)
        return self.grants.pop(0)


def grant(letters: int, at_s: float, every_s: float = 0.0) -> RateLease:
    return RateLease(letters=letters, first_at=NOW + timedelta(seconds=at_s), every_s=every_s)


def pace_of(clock: HandClock, *grants: RateLease) -> RateLimiter:
    return RateLimiter(Budget(*grants).lease, clock.now, clock.read, clock.sleep)


async def departures(pace: RateLimiter, clock: HandClock, letters: int) -> list[float]:
    gone = []
    for _ in range(letters):
        await pace.acquire()
        gone.append(round(clock.passed, 6))
    return gone


async def test_without_a_limit_nobody_waits_and_nothing_is_leased() -> None:
    clock = HandClock()
    pace = RateLimiter(None, clock.now, clock.read, clock.sleep)

    assert not pace.is_limited
    assert await departures(pace, clock, 5) == [0] * 5


async def test_letters_go_at_the_moments_that_were_leased_for_them() -> None:
    clock = HandClock()

    gone = await departures(pace_of(clock, grant(3, 0, 0.25), grant(2, 1.5, 0.5)), clock, 5)

    assert gone == [0, 0.25, 0.5, 1.5, 2.0]


async def test_of_an_hours_budget_the_letters_go_at_once() -> None:
    clock = HandClock()

    assert await departures(pace_of(clock, grant(3, 0)), clock, 3) == [0, 0, 0]


async def test_where_all_moments_are_taken_it_asks_again_when_there_are_new_ones() -> None:
    clock = HandClock()

    gone = await departures(pace_of(clock, grant(0, 4, 0.5), grant(0, 5, 0.5), grant(1, 5.5, 0.5)), clock, 1)

    assert gone == [5.5]


async def test_a_used_up_hour_is_reported_with_its_end() -> None:
    clock = HandClock()
    pace = pace_of(clock, grant(1, 0), grant(0, 3600), grant(1, 0))
    await pace.acquire()

    with pytest.raises(BudgetSpent) as spent:
        await pace.acquire()

    assert spent.value.until == NOW + timedelta(hours=1)
    assert clock.passed == 0
    await pace.acquire()


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    every_s=st.floats(0.01, 2),
    slow_s=st.floats(0, 3),
)
def test_each_letter_starts_at_its_time_or_as_soon_after_it_as_its_task_can(
    sizes: list[int], every_s: float, slow_s: float
) -> None:
    clock, moments, gone = HandClock(), [], []

    async def lease() -> RateLease:
        first_s = max(clock.passed, moments[-1] + every_s if moments else 0.0)
        letters = sizes.pop(0)
        moments.extend(first_s + place * every_s for place in range(letters))
        return grant(letters, first_s, every_s)

    async def carry() -> None:
        pace = RateLimiter(lease, clock.now, clock.read, clock.sleep)
        for _ in range(sum(sizes)):
            await pace.acquire()
            gone.append(clock.passed)
            await clock.sleep(slow_s)

    asyncio.run(carry())

    ready = 0.0
    for left, moment in zip(gone, moments, strict=True):
        assert left == pytest.approx(max(ready, moment), abs=1e-3)
        ready = left + slow_s


async def test_letters_start_in_the_order_in_which_they_waited() -> None:
    clock, gone = HandClock(), []
    pace = pace_of(clock, grant(2, 0, 0.5), grant(4, 1, 0.5))

    async def take(number: int) -> None:
        await pace.acquire()
        gone.append((number, clock.passed))

    async with asyncio.TaskGroup() as tasks:
        for number in range(6):
            tasks.create_task(take(number))

    assert gone == [(0, 0), (1, 0.5), (2, 1), (3, 1.5), (4, 2), (5, 2.5)]


async def test_a_waiter_that_gives_up_costs_the_others_nothing() -> None:
    clock, wake = HandClock(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        await wake.wait()
        clock.passed += seconds

    pace = RateLimiter(Budget(grant(2, 0, 1)).lease, clock.now, clock.read, sleep)
    await pace.acquire()
    first, second = asyncio.create_task(pace.acquire()), asyncio.create_task(pace.acquire())
    await asyncio.sleep(0)

    first.cancel()
    wake.set()
    await second

    assert first.cancelled()
    assert clock.passed == 1


@pytest.mark.parametrize("trouble", [RuntimeError("the ledger is away")])
async def test_an_error_of_the_lease_reaches_the_waiter_and_the_next_one_can_try(trouble: Exception) -> None:
    clock, answers = HandClock(), [trouble, grant(1, 0)]

    async def lease() -> RateLease:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    pace = RateLimiter(lease, clock.now, clock.read, clock.sleep)

    with pytest.raises(RuntimeError, match="away"):
        await pace.acquire()
    await pace.acquire()
