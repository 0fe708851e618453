"""Shares of a limit are leased in small parts, and the limit holds over all processes."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from mailer.domain.rate_limits import Limits, Ramp, RateLease
from mailer.store.database import Database
from mailer.store.queue import rate_budgets
from tests.support.app_helpers import on_postgresql
from tests.support.queue_helpers import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def lease(tx: Connection, limits: Limits, most: int = 100, now: datetime = NOW, kept: float = 0.0) -> RateLease:
    return rate_budgets.lease(tx, "relay one", limits, most, now, reserved_share=kept)


def moments(grant: RateLease) -> list[datetime]:
    """When each letter of a grant may go."""
    return [grant.first_at + timedelta(seconds=place * grant.every_s) for place in range(grant.letters)]


def test_without_a_limit_everything_is_leased_and_nothing_is_written(engine: Engine) -> None:
    with engine.begin() as tx:
        assert lease(tx, Limits()) == lease(tx, Limits()) == RateLease(letters=100, first_at=NOW, every_s=0.0)


def test_a_rate_per_second_leases_separate_times_at_most_a_second_ahead(engine: Engine) -> None:
    limits = Limits(per_second=4)
    with engine.begin() as tx:
        first, second, third = lease(tx, limits, most=3), lease(tx, limits), lease(tx, limits)
        then = lease(tx, limits, now=NOW + timedelta(seconds=1))

    assert (first.letters, first.first_at, first.every_s) == (3, NOW, 0.25)
    assert (second.letters, second.first_at) == (1, NOW + timedelta(seconds=0.75))
    assert (third.letters, third.first_at) == (1, NOW + timedelta(seconds=1))
    assert then.first_at == third.next_after() == NOW + timedelta(seconds=1.25)


def test_a_lease_asked_for_too_early_says_when_to_ask_again(engine: Engine) -> None:
    limits = Limits(per_second=0.01)
    with engine.begin() as tx:
        first, early = lease(tx, limits), lease(tx, limits)
        later = lease(tx, limits, now=early.first_at)

    assert (first.letters, early.letters, later.letters) == (1, 0, 1)
    assert early.first_at == early.next_after() == NOW + timedelta(seconds=100)
    assert early.every_s == 100


def test_unused_time_is_not_saved_up(engine: Engine) -> None:
    limits = Limits(per_second=2)
    with engine.begin() as tx:
        lease(tx, limits)

        grant = lease(tx, limits, now=NOW + HOUR)

    assert (grant.letters, grant.first_at) == (2, NOW + HOUR)


def test_a_spent_hourly_limit_is_free_again_in_the_next_hour(engine: Engine) -> None:
    limits, half_past = Limits(per_hour=10), NOW + HOUR / 2
    with engine.begin() as tx:
        grants = [lease(tx, limits, most, now=half_past) for most in (4, 4, 4, 4)]
        next_hour = lease(tx, limits, now=NOW + HOUR)

    assert [one.letters for one in grants] == [4, 4, 2, 0]
    assert grants[-1].next_after() == NOW + HOUR
    assert next_hour.letters == 10


def test_the_narrowest_limit_counts_and_each_is_charged_with_what_was_leased(engine: Engine) -> None:
    limits = Limits(per_second=2, per_hour=3, per_day=4)
    with engine.begin() as tx:
        first, second = (lease(tx, limits, now=NOW + timedelta(seconds=2 * number)) for number in range(2))
        spent = lease(tx, limits, now=NOW + timedelta(seconds=10))
        next_hour, day_spent = lease(tx, limits, now=NOW + HOUR), lease(tx, limits, now=NOW + 2 * HOUR)
        next_day = lease(tx, limits, now=NOW + DAY)

    assert (first.letters, second.letters, spent.letters) == (2, 1, 0)
    assert spent.first_at == NOW + HOUR
    assert (next_hour.letters, day_spent.letters) == (1, 0)
    assert day_spent.first_at == datetime(2027, 3, 2, tzinfo=UTC)
    assert next_day.letters == 2


def test_a_ramp_grows_from_day_to_day(engine: Engine) -> None:
    limits = Limits(ramp=Ramp(since=date(2027, 3, 1), first_day=5, growth=2.0))
    with engine.begin() as tx:
        days = [sum(lease(tx, limits, now=NOW + number * DAY).letters for _ in range(3)) for number in range(4)]

    assert days == [5, 10, 20, 40]


def test_a_share_of_each_limit_is_reserved_for_notices_but_not_of_a_small_one(engine: Engine) -> None:
    with engine.begin() as tx:
        campaigns = rate_budgets.lease(tx, "a", Limits(per_hour=100), 1000, NOW, reserved_share=0.05)
        notices = rate_budgets.lease(tx, "a", Limits(per_hour=100), 1000, NOW)
        single = rate_budgets.lease(tx, "b", Limits(per_day=1), 1000, NOW, reserved_share=0.05)

    assert (campaigns.letters, notices.letters, single.letters) == (95, 5, 1)


def test_each_spender_has_a_budget_of_its_own(engine: Engine) -> None:
    limits = Limits(per_hour=1)
    with engine.begin() as tx:
        granted = [rate_budgets.lease(tx, spender, limits, 5, NOW).letters for spender in ("a", "b", "a")]

    assert granted == [1, 1, 0]


def test_a_machine_whose_clock_is_behind_uses_the_hour_of_the_others(engine: Engine) -> None:
    limits = Limits(per_hour=10)
    with engine.begin() as tx:
        ahead = lease(tx, limits, 8, now=NOW + HOUR)
        behind = lease(tx, limits, 8, now=NOW + HOUR - timedelta(seconds=1))
        after = lease(tx, limits, 8, now=NOW + HOUR)

    assert [one.letters for one in (ahead, behind, after)] == [8, 2, 0]


@given(
    rate=st.floats(0.02, 300),
    steps=st.lists(st.tuples(st.integers(0, 90_000), st.integers(1, 60)), min_size=1, max_size=30),
)
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_no_two_letters_are_leased_the_same_time(engine: Engine, rate: float, steps: list[tuple[int, int]]) -> None:
    now, gone = NOW, []
    with engine.connect() as tx:
        for wait_ms, most in steps:
            now += timedelta(milliseconds=wait_ms)
            grant = lease(tx, Limits(per_second=rate), most, now=now)
            assert grant.letters <= most
            assert grant.letters == 0 or grant.first_at >= now
            gone += moments(grant)
        tx.rollback()

    apart = [(later - earlier).total_seconds() for earlier, later in pairwise(gone)]
    assert all(one >= 1 / rate - 2e-6 for one in apart)
    assert len(gone) >= 1


@on_postgresql
@pytest.mark.parametrize("hours", [0, 1])
async def test_two_machines_that_lease_at_once_share_one_hour(shared: Engine, hours: int) -> None:
    database, limits = Database(shared.url.render_as_string(hide_password=False)), Limits(per_hour=10)
    await database.write(lease, limits, 7)
    at_once, granted = threading.Barrier(2, timeout=10), []

    def node() -> None:
        with shared.connect() as tx, tx.begin():
            at_once.wait()
            granted.append(lease(tx, limits, 7, now=NOW + hours * HOUR).letters)

    nodes = [threading.Thread(target=node) for _ in range(2)]
    for one in nodes:
        one.start()
    for one in nodes:
        one.join()
    await database.close()

    assert sorted(granted) == ([0, 3] if hours == 0 else [3, 7])


@on_postgresql
def test_two_machines_that_lease_for_the_first_time_share_one_hour(shared: Engine) -> None:
    with shared.connect() as mine, shared.connect() as yours:
        first, second = mine.begin(), yours.begin()
        granted = [lease(mine, Limits(per_hour=10), 7).letters]
        other = threading.Thread(target=lambda: granted.append(lease(yours, Limits(per_hour=10), 7).letters))
        other.start()
        first.commit()
        other.join()
        second.commit()

    assert granted == [7, 3]
