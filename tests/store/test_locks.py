"""A lock is taken once in a period, by one of many; a signature's lock stays with its first holder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from mailer.store.locks import Lock, acquire, acquire_for_good
from tests.support.app_helpers import on_postgresql

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def test_a_lock_is_free_again_after_its_period_and_each_subject_has_its_own(engine: Engine) -> None:
    times = (NOW, NOW + SECOND, NOW + HOUR - SECOND, NOW + HOUR, NOW + HOUR + SECOND)

    with engine.begin() as tx:
        taken = [acquire(tx, Lock.CHECK, "list 1", HOUR, now) for now in times]
        of_others = [acquire(tx, Lock.CHECK, "list 2", HOUR, NOW), acquire(tx, Lock.PURGE, "list 1", HOUR, NOW)]

    assert taken == [True, False, False, True, False]
    assert of_others == [True, True]


@on_postgresql
def test_one_of_many_processes_gets_the_lock(shared: Engine) -> None:
    def take(_number: int) -> bool:
        with shared.begin() as tx:
            return acquire(tx, Lock.PURGE, "", HOUR, NOW)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(take, range(16)))

    assert answers.count(True) == 1


def test_a_lock_for_good_names_its_first_holder(engine: Engine) -> None:
    with engine.begin() as tx:
        holders = [acquire_for_good(tx, Lock.SIGNATURE, "abc", number, NOW) for number in (7, 8, 7)]

    assert holders == [7, 7, 7]
