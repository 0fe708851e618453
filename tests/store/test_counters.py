"""Counting in windows of time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select

from mailer.domain.abuse_limits import DAY, HOUR, CounterKind, Limit
from mailer.store import counters
from mailer.store.job_markers import JobMarker, get_marker, set_marker
from mailer.store.people_tables import tally
from tests.support.app_helpers import on_postgresql
from tests.support.counter_model import count_in_window

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
MINUTES = (0, 0, 1, 30, 59, 60, 61, 119, 120, 121, 500, 501, 559, 560)


def test_a_counter_counts_as_the_model_says(engine: Engine) -> None:
    counted, meant, since, count = [], [], None, 0

    with engine.begin() as tx:
        for minutes in MINUTES:
            now = NOW + timedelta(minutes=minutes)
            since, count = count_in_window(since, count, now, HOUR)
            meant.append(count)
            counted.append(counters.increment(tx, CounterKind.SOURCE, "one", HOUR, now))
        other = counters.increment(tx, CounterKind.SOURCE, "two", HOUR, NOW)

    assert counted == meant
    assert other == 1


def test_where_one_limit_is_reached_nothing_is_counted_of_the_others(engine: Engine) -> None:
    wide = Limit(kind=CounterKind.DOMAIN, subject="example.org", window=HOUR, maximum=9)
    narrow = Limit(kind=CounterKind.LIST, subject="appeals", window=HOUR, maximum=2)

    with engine.begin() as tx:
        fitted = [counters.increment_within_limits(tx, (wide, narrow), NOW) for _ in range(5)]
        reached = [counters.get_value(tx, one.kind, one.subject) for one in (wide, narrow)]
        counters.reset(tx, narrow.kind, narrow.subject)
        fits_again = counters.increment_within_limits(tx, (wide, narrow), NOW)

    assert fitted == [True, True, False, False, False]
    assert reached == [2, 2]
    assert fits_again


def test_old_counters_are_deleted_a_few_at_a_time_and_job_markers_stay(engine: Engine) -> None:
    with engine.begin() as tx:
        for number in range(5):
            counters.increment(tx, CounterKind.MAILBOX, str(number), DAY, NOW)
        counters.increment(tx, CounterKind.MAILBOX, "new", DAY, NOW + DAY)
        set_marker(tx, JobMarker.EVIDENCE_ERASED, 7, NOW)
        deleted = [counters.delete_old(tx, NOW + HOUR, 3) for _ in range(3)]
        left = tx.execute(select(func.count()).select_from(tally)).scalar_one()
        marker = get_marker(tx, JobMarker.EVIDENCE_ERASED)

    assert deleted == [3, 2, 0]
    assert (left, marker) == (2, 7)


@on_postgresql
def test_of_many_concurrent_requests_only_as_many_as_the_limit_allows_are_counted(shared: Engine) -> None:
    one = Limit(kind=CounterKind.MAILBOX, subject="rosa", window=DAY, maximum=2)
    wide = Limit(kind=CounterKind.DOMAIN, subject="example.org", window=HOUR, maximum=99)

    def count(_number: int) -> bool:
        with shared.begin() as tx:
            return counters.increment_within_limits(tx, (one, wide), NOW)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(count, range(24)))
    with shared.begin() as tx:
        counted = counters.get_value(tx, wide.kind, wide.subject)

    assert (answers.count(True), counted) == (2, 2)
