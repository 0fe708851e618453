"""Who is alive, as other processes on the same PostgreSQL see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from mailer.store.queue import worker_presence
from mailer.store.queue.worker_presence import Presence
from tests.support.queue_helpers import CLAIMED, NOW, QUEUED, bury, counts, launched, take, worker

OURS = "FROM pg_locks JOIN pg_database d ON d.oid = database AND datname = current_database() WHERE objsubid = 2"


@pytest.fixture
def process(shared: Engine) -> Iterator[Presence]:
    """Another process's workers."""
    made = Presence(shared)
    yield made
    made.leave()


def dead(engine: Engine) -> list[int]:
    with engine.begin() as tx:
        return sorted(worker_presence.dead(tx, "campaigns", 0, NOW))


def test_a_worker_that_its_process_gives_up_is_dead_to_all_and_its_siblings_are_not(
    shared: Engine, process: Presence
) -> None:
    failed, sibling = process.enter("campaigns", NOW), process.enter("notices", NOW)
    before = dead(shared)

    process.give_up(failed)
    process.give_up(failed)
    successor = process.enter("campaigns", NOW)

    assert (before, dead(shared)) == ([], [failed])
    process.leave()
    assert dead(shared) == [failed, sibling, successor]
    process.give_up(sibling)


def test_what_a_worker_that_was_given_up_had_goes_to_others_while_its_process_lives(
    shared: Engine, process: Presence
) -> None:
    failed = process.enter("campaigns", NOW)
    with shared.begin() as tx:
        campaign_id = launched(tx, 2)
        take(tx, campaign_id, failed)
    process.give_up(failed)

    with shared.begin() as tx:
        held = counts(tx, campaign_id)
        bury(tx, *worker_presence.dead(tx, "notices", worker(tx), NOW))
        found = counts(tx, campaign_id)

    assert (held, found) == ({CLAIMED: 2}, {QUEUED: 2})


def test_no_lock_is_left_of_workers_that_were_given_up(shared: Engine, process: Presence) -> None:
    for _ in range(5):
        process.give_up(process.enter("campaigns", NOW))

    with shared.connect() as tx:
        assert tx.execute(text(f"SELECT count(*) {OURS}")).scalar_one() == 0


def test_a_session_that_is_gone_has_given_up_all(shared: Engine, process: Presence) -> None:
    mine, sibling = process.enter("campaigns", NOW), process.enter("notices", NOW)
    with shared.begin() as tx:
        tx.execute(text(f"SELECT pg_terminate_backend(pid) {OURS}"))

    process.give_up(mine)
    again = process.enter("campaigns", NOW + timedelta(seconds=1))

    assert dead(shared) == [mine, sibling]
    assert again not in dead(shared)
