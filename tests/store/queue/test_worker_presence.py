"""Which workers are alive, as other processes on the same PostgreSQL see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from mailer.store.queue import worker_presence
from mailer.store.queue.worker_presence import WorkerPresence
from tests.support.app_helpers import on_postgresql
from tests.support.queue_helpers import (
    CLAIMED,
    NOW,
    QUEUED,
    add_worker,
    claim_deliveries,
    launched_campaign,
    recover_dead,
    state_counts,
)

OURS = "FROM pg_locks JOIN pg_database d ON d.oid = database AND datname = current_database() WHERE objsubid = 2"


@pytest.fixture
def process(shared: Engine) -> Iterator[WorkerPresence]:
    """Another process's workers."""
    made = WorkerPresence(shared)
    yield made
    made.close()


def dead(engine: Engine) -> list[int]:
    with engine.begin() as tx:
        return sorted(worker_presence.find_dead_workers(tx, "campaigns", 0, NOW))


@on_postgresql
def test_a_released_worker_is_dead_to_all_and_the_others_of_its_process_are_not(
    shared: Engine, process: WorkerPresence
) -> None:
    failed, sibling = process.register("campaigns", NOW), process.register("notices", NOW)
    before = dead(shared)

    process.release_worker(failed)
    process.release_worker(failed)
    successor = process.register("campaigns", NOW)

    assert (before, dead(shared)) == ([], [failed])
    process.close()
    assert dead(shared) == [failed, sibling, successor]
    process.release_worker(sibling)


@on_postgresql
def test_deliveries_of_a_released_worker_go_to_others_while_its_process_lives(
    shared: Engine, process: WorkerPresence
) -> None:
    failed = process.register("campaigns", NOW)
    with shared.begin() as tx:
        campaign_id = launched_campaign(tx, 2)
        claim_deliveries(tx, campaign_id, failed)
    process.release_worker(failed)

    with shared.begin() as tx:
        held = state_counts(tx, campaign_id)
        recover_dead(tx, *worker_presence.find_dead_workers(tx, "notices", add_worker(tx), NOW))
        found = state_counts(tx, campaign_id)

    assert (held, found) == ({CLAIMED: 2}, {QUEUED: 2})


@on_postgresql
def test_released_workers_leave_no_lock(shared: Engine, process: WorkerPresence) -> None:
    for _ in range(5):
        process.release_worker(process.register("campaigns", NOW))

    with shared.connect() as tx:
        assert tx.execute(text(f"SELECT count(*) {OURS}")).scalar_one() == 0


@on_postgresql
def test_a_lost_session_releases_all_workers(shared: Engine, process: WorkerPresence) -> None:
    mine, sibling = process.register("campaigns", NOW), process.register("notices", NOW)
    with shared.begin() as tx:
        tx.execute(text(f"SELECT pg_terminate_backend(pid) {OURS}"))

    process.release_worker(mine)
    again = process.register("campaigns", NOW + timedelta(seconds=1))

    assert dead(shared) == [mine, sibling]
    assert again not in dead(shared)
