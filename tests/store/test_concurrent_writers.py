"""Concurrent writers on PostgreSQL: the later one waits, and then sees what the earlier one did."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, event, select, text

from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import Delivery, DeliveryState, Verdict
from mailer.domain.suppression import EVERY_LIST
from mailer.store import campaign_progress, campaigns
from mailer.store.database import Database
from mailer.store.queue import claims, crash_recovery, deliveries, gate, orphans
from mailer.store.queue.queue_tables import delivery
from tests.support.app_helpers import on_postgresql
from tests.support.queue_helpers import (
    CANCELLED,
    HANDED,
    NOW,
    PAUSED,
    QUEUED,
    SENDING,
    add_worker,
    claim_deliveries,
    correct_campaign,
    delivery_outcome,
    hand_over,
    handoff_request,
    launched_campaign,
    leave_list,
    record_verdict,
    state_counts,
)

ROSA = "person0@example.org"
Act = Callable[[Connection, int, int], object]


def _leave(tx: Connection, campaign_id: int, worker_id: int) -> None:
    leave_list(tx, ROSA, EVERY_LIST)


def _pause(tx: Connection, campaign_id: int, worker_id: int) -> None:
    campaigns.change_state(tx, campaign_id, PAUSED, from_states=(SENDING,))


def _cancel(tx: Connection, campaign_id: int, worker_id: int) -> None:
    campaigns.change_state(tx, campaign_id, CANCELLED, from_states=(SENDING,))


def _correct(tx: Connection, campaign_id: int, worker_id: int) -> None:
    correct_campaign(tx, campaign_id)


def _recover(tx: Connection, campaign_id: int, worker_id: int) -> None:
    crash_recovery.recover_dead_workers(tx, [worker_id], NOW)


ACTS = pytest.mark.parametrize("act", [_leave, _pause, _cancel, _correct, _recover], ids=lambda act: act.__name__[1:])


@pytest.fixture
def others() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def in_one(engine: Engine, work: Callable[[Connection], object]) -> object:
    with engine.begin() as tx:
        return work(tx)


def until_somebody_waits(engine: Engine, working: Future[object]) -> None:
    """Return when a session waits for a lock of another, or the work is done without waiting."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while not working.done():
        with engine.connect() as tx:
            if tx.execute(waiting).scalar_one():
                return
        threading.Event().wait(0.01)


@ACTS
@on_postgresql
def test_a_change_returns_only_after_a_gate_that_is_passing_has_committed(
    shared: Engine, others: ThreadPoolExecutor, act: Act
) -> None:
    with shared.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 1), add_worker(tx)
        [one] = claim_deliveries(tx, campaign_id, mine)

    with shared.connect() as passing, passing.begin() as transaction:
        went = hand_over(passing, mine, one)
        answered = others.submit(in_one, shared, lambda tx: act(tx, campaign_id, mine))
        until_somebody_waits(shared, answered)
        early = answered.done()
        transaction.commit()
    answered.result(20)

    with shared.begin() as tx:
        found = state_counts(tx, campaign_id)
    assert (went, early) == ({one.id}, False)
    assert found == {DeliveryState.DEFERRED if act is _recover else HANDED: 1}


@ACTS
@on_postgresql
def test_a_gate_that_comes_during_a_change_waits_and_misses(
    shared: Engine, others: ThreadPoolExecutor, act: Act
) -> None:
    ends = {_leave: DeliveryState.SUPPRESSED, _cancel: DeliveryState.CANCELLED}
    with shared.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 1), add_worker(tx)
        [one] = claim_deliveries(tx, campaign_id, mine)

    with shared.connect() as acting, acting.begin() as doing:
        act(acting, campaign_id, mine)
        passing = others.submit(in_one, shared, lambda tx: hand_over(tx, mine, one))
        until_somebody_waits(shared, passing)
        early = passing.done()
        doing.commit()
    went = passing.result(20)

    with shared.begin() as tx:
        found = state_counts(tx, campaign_id)
    assert (went, early) == (set(), False)
    assert found == {ends.get(act, QUEUED): 1}


@on_postgresql
def test_the_search_for_orphans_waits_for_a_letter_that_is_being_settled(
    shared: Engine, others: ThreadPoolExecutor
) -> None:
    with shared.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 1), add_worker(tx)
        [one] = claim_deliveries(tx, campaign_id, mine)
        hand_over(tx, mine, one)

    with shared.connect() as ending, ending.begin() as transaction:
        gate.commit_batch(ending, mine, [delivery_outcome(one, Verdict.ACCEPTED)], [], [one.claim_id], NOW)
        looking = others.submit(in_one, shared, lambda tx: orphans.requeue_orphans(tx, campaign_id, [one.id], NOW).ids)
        until_somebody_waits(shared, looking)
        early = looking.done()
        transaction.commit()
    found = looking.result(20)

    with shared.begin() as tx:
        assert (early, found, state_counts(tx, campaign_id)) == (False, [], {DeliveryState.ACCEPTED: 1})


@on_postgresql
def test_two_processes_that_recover_one_worker_at_once_do_it_once(shared: Engine, others: ThreadPoolExecutor) -> None:
    with shared.begin() as tx:
        campaign_id, dead = launched_campaign(tx, 2), add_worker(tx)
        hand_over(tx, dead, *claim_deliveries(tx, campaign_id, dead, 1))

    with shared.connect() as first, first.begin() as burying:
        found = crash_recovery.recover_dead_workers(first, [dead], NOW)
        second = others.submit(in_one, shared, lambda tx: crash_recovery.recover_dead_workers(tx, [dead], NOW))
        until_somebody_waits(shared, second)
        burying.commit()
    again = second.result(20)

    assert len(found.resent) == 1
    assert again == crash_recovery.RecoveredDeliveries(resent=(), parked=())


@on_postgresql
def test_what_a_live_worker_claims_during_a_recovery_stays_its_own(shared: Engine, others: ThreadPoolExecutor) -> None:
    later = NOW + timedelta(hours=1)
    with shared.begin() as tx:
        campaign_id, dead, alive = launched_campaign(tx, 2), add_worker(tx), add_worker(tx)
        first, _ = claim_deliveries(tx, campaign_id, dead)
        hand_over(tx, dead, first)
        record_verdict(tx, dead, Verdict.DEFERRED, first)

    with shared.connect() as taking, taking.begin() as tx_taking:
        mine = claim_deliveries(taking, campaign_id, alive, now=later)
        in_one(shared, lambda tx: crash_recovery.recover_dead_workers(tx, [dead], later))
        tx_taking.commit()

    with shared.begin() as tx:
        went = hand_over(tx, alive, *mine, now=later)
    assert [one.id for one in mine] == [first.id]
    assert went == {first.id}


@on_postgresql
def test_concurrent_workers_send_every_letter_once(shared: Engine, others: ThreadPoolExecutor) -> None:
    with shared.begin() as tx:
        appeals, gardens = launched_campaign(tx, 60), launched_campaign(tx, 60, name="gardens")
        workers = [add_worker(tx) for _ in range(3)]
    carried: list[int] = []

    def carry(mine: int) -> None:
        last: list[Delivery] = []
        while True:
            for campaign_id in (appeals, gardens):
                claimed = in_one(shared, lambda tx, number=campaign_id: claim_deliveries(tx, number, mine, 7))  # type: ignore[misc]
                words = [delivery_outcome(one, Verdict.ACCEPTED) for one in last]
                done = sorted({one.claim_id for one in last})
                asked = [handoff_request(one) for one in claimed]
                went = in_one(shared, lambda tx, *batch: gate.commit_batch(tx, mine, *batch, NOW), words, asked, done)
                carried.extend(went)
                last = claimed
            if not last and in_one(shared, lambda tx: not campaign_progress.any_waiting(tx, appeals)):
                return

    def in_one(engine: Engine, work: Callable[..., object], *arguments: object) -> object:
        with engine.begin() as tx:
            return work(tx, *arguments)

    for working in [others.submit(carry, mine) for mine in workers]:
        working.result(60)

    with shared.begin() as tx:
        found = [state_counts(tx, campaign_id) for campaign_id in (appeals, gardens)]
        attempts = set(tx.execute(select(delivery.c.attempts)).scalars())
        open_still = [campaign_progress.any_open(tx, campaign_id) for campaign_id in (appeals, gardens)]
    assert len(carried) == len(set(carried)) == 120
    assert found == [{DeliveryState.ACCEPTED: 60}] * 2
    assert attempts == {1}
    assert open_still == [False, False]


@on_postgresql
@pytest.mark.parametrize("comes_back", [True, False])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_campaign_never_counts_as_finished_while_a_letter_changes_state(
    shared: Engine, comes_back: bool, nth: int
) -> None:
    with shared.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 1), add_worker(tx)
        [one] = claim_deliveries(tx, campaign_id, mine)
        if comes_back:
            hand_over(tx, mine, one)
        else:
            gate.release_deliveries(tx, [(one.id, NOW)], NOW)
            claims.delete_claims(tx, [one.claim_id])

    looks: list[None] = []

    def between(connection: Connection, *_: object) -> None:
        if connection is looking:
            looks.append(None)
        if connection is not looking or len(looks) != nth:
            return
        with shared.begin() as tx:
            if comes_back:
                gate.commit_batch(tx, mine, [delivery_outcome(one, Verdict.DEFERRED)], [], [one.claim_id], NOW)
            else:
                claim_deliveries(tx, campaign_id, mine)

    with shared.begin() as looking:
        event.listen(shared, "after_cursor_execute", between)
        open_still = campaign_progress.any_open(looking, campaign_id)

    assert open_still


@on_postgresql
async def test_a_transaction_chosen_as_deadlock_victim_is_retried(shared: Engine) -> None:
    database = Database(shared.url.render_as_string(hide_password=False))
    campaign_id = await database.write(launched_campaign, 2)
    mine = await database.write(add_worker)
    first, second = await database.write(claim_deliveries, campaign_id, mine)
    both = threading.Barrier(2)
    tries = {"gate": 0, "leaving": 0}

    def meet(who: str) -> None:
        tries[who] += 1
        if tries[who] == 1:
            both.wait(20)

    def pass_one_after_the_other(tx: Connection) -> set[int]:
        went = hand_over(tx, mine, first)
        meet("gate")
        return went | hand_over(tx, mine, second)

    def leave_the_other_way_round(tx: Connection) -> None:
        deliveries.suppress_waiting(tx, 2, EVERY_LIST)
        meet("leaving")
        deliveries.suppress_waiting(tx, 1, EVERY_LIST)

    async with asyncio.timeout(30):
        went, _ = await asyncio.gather(
            database.write(pass_one_after_the_other), database.write(leave_the_other_way_round)
        )
    found = await database.read(state_counts, campaign_id)
    await database.close()

    assert sorted(tries.values()) == [1, 2]
    assert found in ({HANDED: 1, DeliveryState.SUPPRESSED: 1}, {DeliveryState.SUPPRESSED: 2}, {HANDED: 2})
    assert len(went) == found.get(HANDED, 0)


@on_postgresql
def test_a_launch_during_claims_leaves_nobody_out(shared: Engine, others: ThreadPoolExecutor) -> None:
    from mailer.store import audience

    with shared.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 40), add_worker(tx)
        tx.execute(delivery.delete())
        tx.exec_driver_sql(f"UPDATE campaign SET launch_cursor = 0, audience = 0 WHERE id = {campaign_id}")

    def launch() -> None:
        for upto in range(4, 41, 4):
            with shared.begin() as tx:
                written = audience.freeze_audience(tx, campaigns.get(tx, campaign_id, lock=True), upto)
                campaigns.advance_launch(tx, campaign_id, cursor=upto, more=written)

    launching, claimed = others.submit(launch), []
    while not launching.done() or in_one(shared, lambda tx: campaign_progress.any_due(tx, campaign_id, NOW)):
        claimed += in_one(shared, lambda tx: claim_deliveries(tx, campaign_id, mine, 3))  # type: ignore[operator]
    launching.result()

    assert [one.subscription_id for one in claimed] == list(range(1, 41))
    assert in_one(shared, lambda tx: campaigns.get(tx, campaign_id).state) is CampaignState.SENDING
