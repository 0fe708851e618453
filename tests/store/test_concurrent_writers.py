"""Several who write to one PostgreSQL at once: whoever comes second waits, and then sees what was done."""

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
from tests.support.queue_helpers import (
    CANCELLED,
    HANDED,
    NOW,
    PAUSED,
    QUEUED,
    SENDING,
    answer,
    correct,
    counts,
    hand,
    launched,
    leave,
    settled,
    take,
    wanted,
    worker,
)

ROSA = "person0@example.org"
Act = Callable[[Connection, int, int], object]


def _leave(tx: Connection, campaign_id: int, worker_id: int) -> None:
    leave(tx, ROSA, EVERY_LIST)


def _pause(tx: Connection, campaign_id: int, worker_id: int) -> None:
    campaigns.move(tx, campaign_id, PAUSED, of=(SENDING,))


def _cancel(tx: Connection, campaign_id: int, worker_id: int) -> None:
    campaigns.move(tx, campaign_id, CANCELLED, of=(SENDING,))


def _correct(tx: Connection, campaign_id: int, worker_id: int) -> None:
    correct(tx, campaign_id)


def _bury(tx: Connection, campaign_id: int, worker_id: int) -> None:
    crash_recovery.bury(tx, [worker_id], NOW)


ACTS = pytest.mark.parametrize("act", [_leave, _pause, _cancel, _correct, _bury], ids=lambda act: act.__name__[1:])


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
def test_it_is_answered_only_when_a_gate_that_is_passing_has_closed(
    shared: Engine, others: ThreadPoolExecutor, act: Act
) -> None:
    with shared.begin() as tx:
        campaign_id, mine = launched(tx, 1), worker(tx)
        [one] = take(tx, campaign_id, mine)

    with shared.connect() as passing, passing.begin() as turn:
        went = hand(passing, mine, one)
        answered = others.submit(in_one, shared, lambda tx: act(tx, campaign_id, mine))
        until_somebody_waits(shared, answered)
        early = answered.done()
        turn.commit()
    answered.result(20)

    with shared.begin() as tx:
        found = counts(tx, campaign_id)
    assert (went, early) == ({one.id}, False)
    assert found == {DeliveryState.DEFERRED if act is _bury else HANDED: 1}


@ACTS
def test_a_gate_that_comes_while_it_is_done_waits_and_misses(
    shared: Engine, others: ThreadPoolExecutor, act: Act
) -> None:
    ends = {_leave: DeliveryState.SUPPRESSED, _cancel: DeliveryState.CANCELLED}
    with shared.begin() as tx:
        campaign_id, mine = launched(tx, 1), worker(tx)
        [one] = take(tx, campaign_id, mine)

    with shared.connect() as acting, acting.begin() as doing:
        act(acting, campaign_id, mine)
        passing = others.submit(in_one, shared, lambda tx: hand(tx, mine, one))
        until_somebody_waits(shared, passing)
        early = passing.done()
        doing.commit()
    went = passing.result(20)

    with shared.begin() as tx:
        found = counts(tx, campaign_id)
    assert (went, early) == (set(), False)
    assert found == {ends.get(act, QUEUED): 1}


def test_who_looks_for_orphans_waits_for_a_letter_that_is_just_settled(
    shared: Engine, others: ThreadPoolExecutor
) -> None:
    with shared.begin() as tx:
        campaign_id, mine = launched(tx, 1), worker(tx)
        [one] = take(tx, campaign_id, mine)
        hand(tx, mine, one)

    with shared.connect() as ending, ending.begin() as turn:
        gate.turn(ending, mine, [settled(one, Verdict.ACCEPTED)], [], [one.claim_id], NOW)
        looking = others.submit(in_one, shared, lambda tx: orphans.take_back(tx, campaign_id, [one.id], NOW).ids)
        until_somebody_waits(shared, looking)
        early = looking.done()
        turn.commit()
    found = looking.result(20)

    with shared.begin() as tx:
        assert (early, found, counts(tx, campaign_id)) == (False, [], {DeliveryState.ACCEPTED: 1})


def test_of_two_who_bury_one_worker_at_once_one_does(shared: Engine, others: ThreadPoolExecutor) -> None:
    with shared.begin() as tx:
        campaign_id, dead = launched(tx, 2), worker(tx)
        hand(tx, dead, *take(tx, campaign_id, dead, 1))

    with shared.connect() as first, first.begin() as burying:
        found = crash_recovery.bury(first, [dead], NOW)
        second = others.submit(in_one, shared, lambda tx: crash_recovery.bury(tx, [dead], NOW))
        until_somebody_waits(shared, second)
        burying.commit()
    again = second.result(20)

    assert len(found.resent) == 1
    assert again == crash_recovery.Recovered(resent=(), parked=())


def test_what_a_living_worker_takes_while_another_is_buried_stays_its_own(
    shared: Engine, others: ThreadPoolExecutor
) -> None:
    later = NOW + timedelta(hours=1)
    with shared.begin() as tx:
        campaign_id, dead, alive = launched(tx, 2), worker(tx), worker(tx)
        first, _ = take(tx, campaign_id, dead)
        hand(tx, dead, first)
        answer(tx, dead, Verdict.DEFERRED, first)

    with shared.connect() as taking, taking.begin() as tx_taking:
        mine = take(taking, campaign_id, alive, now=later)
        in_one(shared, lambda tx: crash_recovery.bury(tx, [dead], later))
        tx_taking.commit()

    with shared.begin() as tx:
        went = hand(tx, alive, *mine, now=later)
    assert [one.id for one in mine] == [first.id]
    assert went == {first.id}


def test_workers_that_claim_hand_and_note_at_once_carry_every_letter_once(
    shared: Engine, others: ThreadPoolExecutor
) -> None:
    with shared.begin() as tx:
        appeals, gardens = launched(tx, 60), launched(tx, 60, name="gardens")
        workers = [worker(tx) for _ in range(3)]
    carried: list[int] = []

    def carry(mine: int) -> None:
        last: list[Delivery] = []
        while True:
            for campaign_id in (appeals, gardens):
                claimed = in_one(shared, lambda tx, number=campaign_id: take(tx, number, mine, 7))  # type: ignore[misc]
                words = [settled(one, Verdict.ACCEPTED) for one in last]
                done = sorted({one.claim_id for one in last})
                asked = [wanted(one) for one in claimed]
                went = in_one(shared, lambda tx, *turn: gate.turn(tx, mine, *turn, NOW), words, asked, done)
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
        found = [counts(tx, campaign_id) for campaign_id in (appeals, gardens)]
        attempts = set(tx.execute(select(delivery.c.attempts)).scalars())
        open_still = [campaign_progress.any_open(tx, campaign_id) for campaign_id in (appeals, gardens)]
    assert len(carried) == len(set(carried)) == 120
    assert found == [{DeliveryState.ACCEPTED: 60}] * 2
    assert attempts == {1}
    assert open_still == [False, False]


@pytest.mark.parametrize("comes_back", [True, False])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_campaign_is_never_seen_as_over_while_a_letter_changes_hands(
    shared: Engine, comes_back: bool, nth: int
) -> None:
    with shared.begin() as tx:
        campaign_id, mine = launched(tx, 1), worker(tx)
        [one] = take(tx, campaign_id, mine)
        if comes_back:
            hand(tx, mine, one)
        else:
            gate.put_back(tx, [(one.id, NOW)], NOW)
            claims.drop(tx, [one.claim_id])

    looks: list[None] = []

    def between(connection: Connection, *_: object) -> None:
        if connection is looking:
            looks.append(None)
        if connection is not looking or len(looks) != nth:
            return
        with shared.begin() as tx:
            if comes_back:
                gate.turn(tx, mine, [settled(one, Verdict.DEFERRED)], [], [one.claim_id], NOW)
            else:
                take(tx, campaign_id, mine)

    with shared.begin() as looking:
        event.listen(shared, "after_cursor_execute", between)
        open_still = campaign_progress.any_open(looking, campaign_id)

    assert open_still


async def test_who_is_caught_in_a_deadlock_begins_again(shared: Engine) -> None:
    database = Database(shared.url.render_as_string(hide_password=False))
    campaign_id = await database.write(launched, 2)
    mine = await database.write(worker)
    first, second = await database.write(take, campaign_id, mine)
    both = threading.Barrier(2)
    tries = {"gate": 0, "leaving": 0}

    def meet(who: str) -> None:
        tries[who] += 1
        if tries[who] == 1:
            both.wait(20)

    def pass_one_after_the_other(tx: Connection) -> set[int]:
        went = hand(tx, mine, first)
        meet("gate")
        return went | hand(tx, mine, second)

    def leave_the_other_way_round(tx: Connection) -> None:
        deliveries.suppress_waiting(tx, 2, EVERY_LIST)
        meet("leaving")
        deliveries.suppress_waiting(tx, 1, EVERY_LIST)

    async with asyncio.timeout(30):
        went, _ = await asyncio.gather(
            database.write(pass_one_after_the_other), database.write(leave_the_other_way_round)
        )
    found = await database.read(counts, campaign_id)
    await database.close()

    assert sorted(tries.values()) == [1, 2]
    assert found in ({HANDED: 1, DeliveryState.SUPPRESSED: 1}, {DeliveryState.SUPPRESSED: 2}, {HANDED: 2})
    assert len(went) == found.get(HANDED, 0)


def test_a_launch_that_goes_on_while_others_claim_leaves_nobody_out(shared: Engine, others: ThreadPoolExecutor) -> None:
    from mailer.store import audience

    with shared.begin() as tx:
        campaign_id, mine = launched(tx, 40), worker(tx)
        tx.execute(delivery.delete())
        tx.exec_driver_sql(f"UPDATE campaign SET launch_cursor = 0, audience = 0 WHERE id = {campaign_id}")

    def launch() -> None:
        for upto in range(4, 41, 4):
            with shared.begin() as tx:
                written = audience.freeze(tx, campaigns.get(tx, campaign_id, lock=True), upto)
                campaigns.advance_launch(tx, campaign_id, cursor=upto, more=written)

    launching, claimed = others.submit(launch), []
    while not launching.done() or in_one(shared, lambda tx: campaign_progress.any_due(tx, campaign_id, NOW)):
        claimed += in_one(shared, lambda tx: take(tx, campaign_id, mine, 3))  # type: ignore[operator]
    launching.result()

    assert [one.subscription_id for one in claimed] == list(range(1, 41))
    assert in_one(shared, lambda tx: campaigns.get(tx, campaign_id).state) is CampaignState.SENDING
