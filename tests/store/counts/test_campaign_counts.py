"""The numbers of a campaign are counted by the database itself; `test_queue.py` compares them after any history."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, delete, select, text, update

from mailer.domain.delivery import NOTICES, Delivery, DeliveryState, Verdict
from mailer.store.backup.restore_backup import restore_backup
from mailer.store.backup.write_backup import ServiceFiles, back_up
from mailer.store.counts.campaign_counts import count_by_state, recount_all, settled_counts
from mailer.store.counts.count_tables import campaign_count
from mailer.store.database import open_engine
from mailer.store.queue.queue_tables import delivery
from tests.support.app_helpers import ROOT, on_postgresql
from tests.support.queue_helpers import (
    CLAIMED,
    HANDED,
    NOW,
    QUEUED,
    add_worker,
    claim_deliveries,
    hand_over,
    launched_campaign,
    record_verdict,
)

ACCEPTED, DEFERRED, FAILED = DeliveryState.ACCEPTED, DeliveryState.DEFERRED, DeliveryState.FAILED
MIXED = {ACCEPTED: 2, DEFERRED: 1, FAILED: 1, HANDED: 1, CLAIMED: 1, QUEUED: 4}


def a_campaign_under_way(tx: Connection) -> int:
    """Ten people: each state that workers bring about occurs."""
    campaign_id, worker = launched_campaign(tx, 10), add_worker(tx)
    some = claim_deliveries(tx, campaign_id, worker, 6)
    hand_over(tx, worker, *some[:5])
    record_verdict(tx, worker, Verdict.ACCEPTED, *some[:2])
    record_verdict(tx, worker, Verdict.DEFERRED, some[2])
    record_verdict(tx, worker, Verdict.REFUSED, some[3])
    return campaign_id


def kept_numbers(tx: Connection) -> dict[tuple[int, str], int]:
    found: dict[tuple[int, str], int] = {}
    for campaign_id, state, _, number in tx.execute(select(campaign_count)):
        found[campaign_id, state] = found.get((campaign_id, state), 0) + number
    return {key: number for key, number in found.items() if number}


def test_every_state_is_counted_and_the_sum_is_the_audience(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id = a_campaign_under_way(tx)

        assert count_by_state(tx, campaign_id) == MIXED
        assert settled_counts(tx, [campaign_id]) == {campaign_id: {ACCEPTED: 2, FAILED: 1}}


def test_what_is_deleted_later_stays_in_the_sums(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id = a_campaign_under_way(tx)

        tx.execute(delete(delivery).where(delivery.c.state == ACCEPTED))

        assert count_by_state(tx, campaign_id) == MIXED


def test_counting_anew_gives_what_was_kept(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id = a_campaign_under_way(tx)
        before = kept_numbers(tx)

        recount_all(tx)

        assert kept_numbers(tx) == before == {
            (campaign_id, "accepted"): 2, (campaign_id, "deferred"): 1, (campaign_id, "failed"): 1,
        }  # fmt: skip


def test_an_update_that_leaves_the_state_is_not_counted_nor_is_a_notice(engine: Engine) -> None:
    with engine.begin() as tx:
        a_campaign_under_way(tx)
        before = kept_numbers(tx)

        tx.execute(update(delivery).values(state=delivery.c.state, code=250))
        tx.execute(update(delivery).where(delivery.c.state == QUEUED).values(campaign_id=NOTICES))
        tx.execute(update(delivery).where(delivery.c.campaign_id == NOTICES).values(state=ACCEPTED))

        assert kept_numbers(tx) == before


def test_a_restored_database_has_the_same_numbers(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"a secret")
    files = ServiceFiles(spool=tmp_path / "spool", secret_file=tmp_path / "secret")
    engine = open_engine(database_url)
    with engine.begin() as tx:
        campaign_id = a_campaign_under_way(tx)
        before = kept_numbers(tx)
    engine.dispose()

    back_up(database_url, files, ROOT / "migrations", tmp_path / "backup.zip", NOW)
    restore_backup(database_url, files, ROOT / "migrations", tmp_path / "backup.zip", NOW, replace=True)

    with engine.begin() as tx:
        assert kept_numbers(tx) == before
        tx.execute(update(delivery).where(delivery.c.state == QUEUED).values(state=ACCEPTED))
        assert kept_numbers(tx)[campaign_id, "accepted"] == 7  # the claimed one waited, too
    engine.dispose()


@on_postgresql
def test_workers_that_settle_letters_of_one_campaign_do_not_wait_for_each_other(shared: Engine) -> None:
    with shared.begin() as tx:
        campaign_id, ours, theirs = launched_campaign(tx, 4), add_worker(tx), add_worker(tx)
        mine = claim_deliveries(tx, campaign_id, ours, 2)
        other = claim_deliveries(tx, campaign_id, theirs, 2)

    with shared.connect() as first, shared.connect() as second:
        second.execute(text("SET LOCAL lock_timeout = '2s'"))
        _settle(first, ours, mine)
        _settle(second, theirs, other)
        first.commit()
        second.commit()

    with shared.begin() as tx:
        assert count_by_state(tx, campaign_id) == {ACCEPTED: 4}


def _settle(tx: Connection, worker_id: int, those: list[Delivery]) -> None:
    hand_over(tx, worker_id, *those)
    record_verdict(tx, worker_id, Verdict.ACCEPTED, *those)


@pytest.mark.parametrize("campaign_id", [1, 99])
def test_of_a_campaign_without_letters_nothing_is_counted(engine: Engine, campaign_id: int) -> None:
    with engine.begin() as tx:
        assert count_by_state(tx, campaign_id) == {}
