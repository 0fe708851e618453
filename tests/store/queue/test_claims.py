"""Claims: what a worker takes, what it leaves when it dies, and who may take that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from mailer.domain.delivery import NOTICES, Delivery, DeliveryState, Kind, Notice, Verdict
from mailer.domain.suppression import EVERY_LIST
from mailer.errors import LeaseLost
from mailer.store import campaign_progress, campaigns
from mailer.store.database import Database
from mailer.store.queue import claims, deliveries, gate, workers
from mailer.store.queue.crash_recovery import RecoveredDeliveries
from mailer.store.queue.queue_tables import worker as worker_table
from tests.support.queue_helpers import (
    CANCELLED,
    CLAIMED,
    HANDED,
    NOW,
    QUEUED,
    SENDING,
    add_worker,
    claim_deliveries,
    correct_campaign,
    delivery_outcome,
    delivery_row,
    find_orphans,
    hand_over,
    handoff_request,
    launched_campaign,
    leave_list,
    open_claims,
    record_verdict,
    recover_dead,
    state_by_address,
    state_counts,
)

LATER = NOW + timedelta(hours=1)
NOBODY = RecoveredDeliveries(resent=(), parked=())


async def test_two_workers_that_claim_at_once_never_get_the_same_delivery(database: Database) -> None:
    campaign_id = await database.write(launched_campaign, 30)
    mine, yours = [await database.write(add_worker) for _ in range(2)]

    claims_made = await asyncio.gather(
        *(database.write(claims.claim_deliveries, campaign_id, one, 5, NOW) for one in [mine, yours] * 3)
    )

    claimed = [one.id for claimed_part in claims_made for one in claimed_part]
    assert len(set(claimed)) == len(claimed) == 30


async def test_two_workers_that_claim_due_retries_at_once_never_get_the_same_delivery(database: Database) -> None:
    campaign_id = await database.write(launched_campaign, 24)
    mine, yours = [await database.write(add_worker) for _ in range(2)]
    once = await database.write(claims.claim_deliveries, campaign_id, mine, 24, NOW)
    await database.write(gate.release_deliveries, [(one.id, NOW) for one in once], NOW)

    claimed: list[int] = []
    while await database.read(campaign_progress.any_due, campaign_id, NOW):
        reached = (database.write(claims.claim_deliveries, campaign_id, one, 5, NOW) for one in [mine, yours] * 2)
        claimed += [one.id for claimed_part in await asyncio.gather(*reached) for one in claimed_part]

    assert sorted(claimed) == sorted(one.id for one in once)


def test_claims_follow_the_order_of_the_audience_and_due_retries_come_first(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 5), add_worker(tx)
        first, second, _ = claim_deliveries(tx, campaign_id, mine, 3)
        gate.release_deliveries(tx, [(second.id, NOW), (first.id, NOW + timedelta(seconds=1))], NOW)

        claimed = claim_deliveries(tx, campaign_id, mine, 3, NOW + timedelta(seconds=1))
        addresses = [one.address[:7] for one in claimed]

    assert addresses == ["person1", "person0", "person3"]
    assert len({one.claim_id for one in claimed}) == 1


def test_claiming_nothing_leaves_no_claim(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 1), add_worker(tx)
        claim_deliveries(tx, campaign_id, mine)
        before = open_claims(tx)

        again, notices = claim_deliveries(tx, campaign_id, mine), claim_deliveries(tx, NOTICES, mine)

        assert (again, notices) == ([], [])
        assert open_claims(tx) == before


def test_a_campaign_is_open_until_its_last_claim_is_finished(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 2), add_worker(tx)
        first, second = claim_deliveries(tx, campaign_id, mine)
        hand_over(tx, mine, first, second)
        record_verdict(tx, mine, Verdict.ACCEPTED, first)
        between = campaign_progress.any_open(tx, campaign_id)

        gate.commit_batch(tx, mine, [delivery_outcome(second, Verdict.ACCEPTED)], [], [first.claim_id], NOW)

        assert between
        assert not campaign_progress.any_open(tx, campaign_id)
        assert open_claims(tx) == set()


def test_people_who_left_after_the_launch_keep_no_campaign_open(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id = launched_campaign(tx, 2)
        leave_list(tx, "person0@example.org", EVERY_LIST)
        between = campaign_progress.any_due(tx, campaign_id, NOW), campaign_progress.any_open(tx, campaign_id)

        leave_list(tx, "person1@example.org", EVERY_LIST)

        assert between == (True, True)
        assert not campaign_progress.any_due(tx, campaign_id, NOW)
        assert not campaign_progress.any_open(tx, campaign_id)


def test_recovering_a_worker_that_died_midway_loses_no_delivery(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, dead = launched_campaign(tx, 6), add_worker(tx)
        done, deferred, handed, left, waits, also = claim_deliveries(tx, campaign_id, dead)
        hand_over(tx, dead, done, deferred, handed)
        record_verdict(tx, dead, Verdict.ACCEPTED, done)
        record_verdict(tx, dead, Verdict.DEFERRED, deferred)
        leave_list(tx, left.address, EVERY_LIST)

        found = recover_dead(tx, dead)
        now, due = state_by_address(tx, campaign_id), delivery_row(tx, deferred.id).due_at
        again = claim_deliveries(tx, campaign_id, add_worker(tx))
        known = tx.execute(select(worker_table.c.id)).scalars().all()

    assert found == RecoveredDeliveries(resent=(handed.id,), parked=())
    assert now == {
        done.address: DeliveryState.ACCEPTED,
        deferred.address: DeliveryState.DEFERRED,
        handed.address: DeliveryState.DEFERRED,
        left.address: DeliveryState.SUPPRESSED,
        waits.address: QUEUED,
        also.address: QUEUED,
    }
    assert due == NOW + timedelta(minutes=5)
    assert sorted(one.id for one in again) == sorted((handed.id, waits.id, also.id))
    assert dead not in known


def test_recovery_does_not_touch_what_another_worker_has_claimed_or_handed_since(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, dead, alive = launched_campaign(tx, 3), add_worker(tx), add_worker(tx)
        first, second, third = claim_deliveries(tx, campaign_id, dead)
        hand_over(tx, dead, first, second)
        record_verdict(tx, dead, Verdict.DEFERRED, first, second)
        mine = claim_deliveries(tx, campaign_id, alive, now=LATER)
        hand_over(tx, alive, mine[0], now=LATER)

        found = recover_dead(tx, dead, now=LATER)
        between = state_counts(tx, campaign_id)
        went = hand_over(tx, alive, mine[1], now=LATER)
        left = claim_deliveries(tx, campaign_id, alive, now=LATER)

    assert {one.id for one in mine} == {first.id, second.id}
    assert found == NOBODY
    assert between == {HANDED: 1, CLAIMED: 1, QUEUED: 1}
    assert went == {mine[1].id}
    assert [one.id for one in left] == [third.id]


def put_back_by(tx: Connection, mine: int, one: Delivery) -> None:
    gate.release_own_deliveries(tx, mine, [(one.id, NOW)], NOW)


def corrected_by(tx: Connection, mine: int, one: Delivery) -> None:
    """Written with the old text it misses the gate."""
    correct_campaign(tx, one.campaign_id)
    assert hand_over(tx, mine, one) == set()


def deferred_by(tx: Connection, mine: int, one: Delivery) -> None:
    hand_over(tx, mine, one)
    record_verdict(tx, mine, Verdict.DEFERRED, one)


def uncertain_by(tx: Connection, mine: int, one: Delivery) -> None:
    hand_over(tx, mine, one)
    record_verdict(tx, mine, Verdict.UNKNOWN, one)


def failed_by(tx: Connection, mine: int, one: Delivery) -> None:
    """And is let wait again."""
    hand_over(tx, mine, one)
    record_verdict(tx, mine, Verdict.REFUSED, one)
    deliveries.requeue(tx, one.campaign_id, DeliveryState.FAILED, 0, 10, NOW)


LEFT = (put_back_by, corrected_by, deferred_by, uncertain_by, failed_by)
DEAD = ("the second", "the second, then the first", "the first, then the second", "both")


def each_end_of_two_claims() -> list[Any]:
    """One in four is tried quickly, each `left` and each `who` among them."""
    return [
        pytest.param(left, who, handed, marks=[] if (one + other + 2 * handed) % 4 == 0 else pytest.mark.slow)
        for one, left in enumerate(LEFT)
        for other, who in enumerate(DEAD)
        for handed in (False, True)
    ]


@pytest.mark.parametrize(("left", "who", "handed"), each_end_of_two_claims())
def test_a_letter_listed_by_two_claims_waits_again_when_its_holder_dies(
    engine: Engine, left: Callable[[Connection, int, Delivery], None], who: str, handed: bool
) -> None:
    with engine.begin() as tx:
        campaign_id, first, second, third = launched_campaign(tx, 2), add_worker(tx), add_worker(tx), add_worker(tx)
        one, _ = claim_deliveries(tx, campaign_id, first)
        left(tx, first, one)
        [again] = claim_deliveries(tx, campaign_id, second, 1, LATER)
        if handed:
            hand_over(tx, second, again, now=LATER)

        for dead in {"both": [[first, second]], "the second": [[second]]}.get(
            who, [[second], [first]] if who == "the second, then the first" else [[first], [second]]
        ):
            recover_dead(tx, *dead, now=LATER)
            assert find_orphans(tx, campaign_id) == []
        claimed = {two.id for two in claim_deliveries(tx, campaign_id, third, now=LATER)}
        open_now = open_claims(tx)

    assert again.id == one.id
    assert claimed == ({1} if who == "the second" else {1, 2})
    assert len(open_now) == (2 if who == "the second" else 1)


def test_a_letter_that_a_dead_worker_claimed_twice_is_requeued_once(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 3), add_worker(tx)
        one, two, _ = claim_deliveries(tx, campaign_id, mine)
        gate.release_own_deliveries(tx, mine, [(one.id, NOW), (two.id, LATER)], NOW)
        claim_deliveries(tx, campaign_id, mine, 1)

        recover_dead(tx, mine)
        hours = [delivery_row(tx, number).due_at for number in (1, 2, 3)]

    assert hours == [NOW, LATER, NOW]


def test_outcomes_of_a_recovered_worker_are_ignored(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, dead, alive = launched_campaign(tx, 3), add_worker(tx), add_worker(tx)
        first, second = claim_deliveries(tx, campaign_id, dead, 2)
        hand_over(tx, dead, first)
        recover_dead(tx, dead)
        hand_over(tx, alive, *[one for one in claim_deliveries(tx, campaign_id, alive, 2) if one.id == first.id])

        went = gate.commit_batch(
            tx, dead, [delivery_outcome(first, Verdict.REFUSED)], [handoff_request(second)], [1, 2, 3], NOW
        )
        found, left = state_counts(tx, campaign_id), open_claims(tx)

    assert went == set()
    assert found == {HANDED: 1, CLAIMED: 1, QUEUED: 1}
    assert len(left) == 1


def test_a_letter_whose_worker_dies_a_third_time_is_parked_and_a_live_workers_letter_is_not_touched(
    engine: Engine,
) -> None:
    with engine.begin() as tx:
        campaign_id, found = launched_campaign(tx, 2), []
        for _ in range(3):
            mortal = add_worker(tx)
            [one] = claim_deliveries(tx, campaign_id, mortal, 1)
            hand_over(tx, mortal, one)
            found.append(recover_dead(tx, mortal))
        alive = add_worker(tx)
        [other] = claim_deliveries(tx, campaign_id, alive, 1)

        untouched = recover_dead(tx, add_worker(tx))
        now = state_counts(tx, campaign_id)

    assert [(one.resent, one.parked) for one in found] == [((1,), ()), ((1,), ()), ((), (1,))]
    assert (other.id, untouched) == (2, NOBODY)
    assert now == {DeliveryState.UNCERTAIN: 1, CLAIMED: 1}


def test_a_campaign_that_parks_never_resends_letters_of_unknown_outcome(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mortal = launched_campaign(tx, 3, when_uncertain="park"), add_worker(tx)
        asked, unasked, _ = claimed = claim_deliveries(tx, campaign_id, mortal)
        hand_over(tx, mortal, asked, unasked)
        record_verdict(tx, mortal, Verdict.UNKNOWN, asked)

        found = recover_dead(tx, mortal)
        now = state_counts(tx, campaign_id)

    assert not any(one.resend for one in claimed)
    assert found == RecoveredDeliveries(resent=(), parked=(unasked.id,))
    assert now == {DeliveryState.UNCERTAIN: 2, QUEUED: 1}


def test_a_notice_of_unknown_outcome_is_sent_again_with_the_same_values(engine: Engine) -> None:
    help_wanted = Notice(
        kind=Kind.HELP, address="rosa@example.org", suppression_key="key", language="tr", values={"a": "b"}
    )
    with engine.begin() as tx:
        mortal = add_worker(tx)
        deliveries.add_notice(tx, help_wanted, NOW)
        [first] = claim_deliveries(tx, NOTICES, mortal)
        hand_over(tx, mortal, first)

        found = recover_dead(tx, mortal, now=LATER)
        [again] = claim_deliveries(tx, NOTICES, add_worker(tx), now=LATER)

    assert found == RecoveredDeliveries(resent=(first.id,), parked=())
    assert (again.values, again.language, again.dated_at, again.resends) == ({"a": "b"}, "tr", NOW, 1)


def test_claimed_deliveries_of_a_cancelled_campaign_are_cancelled_at_recovery(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mortal = launched_campaign(tx, 2), add_worker(tx)
        claim_deliveries(tx, campaign_id, mortal, 1)
        campaigns.change_state(tx, campaign_id, CANCELLED, from_states=(SENDING,))
        while deliveries.end_waiting(tx, campaign_id, DeliveryState.CANCELLED, 1):
            pass
        before = state_counts(tx, campaign_id)

        recover_dead(tx, mortal)
        after = state_counts(tx, campaign_id)

    assert before == {CLAIMED: 1, DeliveryState.CANCELLED: 1}
    assert after == {DeliveryState.CANCELLED: 2}


def test_several_dead_workers_are_recovered_once_each(engine: Engine) -> None:
    with engine.begin() as tx:
        appeals, gardens = launched_campaign(tx, 4), launched_campaign(tx, 4, name="gardens")
        dead = [add_worker(tx) for _ in range(3)]
        for mortal in dead:
            for campaign_id in (appeals, gardens):
                hand_over(tx, mortal, *claim_deliveries(tx, campaign_id, mortal, 1))

        found, again = recover_dead(tx, *dead, *dead), recover_dead(tx, *dead)
        now = state_counts(tx, appeals), state_counts(tx, gardens)

    assert (len(found.resent), found.parked, again) == (6, (), NOBODY)
    assert now == ({DeliveryState.DEFERRED: 3, QUEUED: 1},) * 2


def test_ids_of_deleted_workers_and_claims_are_not_reused(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, first = launched_campaign(tx, 3), add_worker(tx)
        [one] = claim_deliveries(tx, campaign_id, first, 1)
        claims.delete_claims(tx, [one.claim_id])
        [two] = claim_deliveries(tx, campaign_id, first, 1)
        recover_dead(tx, first)

        second = add_worker(tx)
        [three] = claim_deliveries(tx, campaign_id, second, 1)

    assert second > first
    assert one.claim_id < two.claim_id < three.claim_id


def test_recovering_no_worker_is_no_error(engine: Engine) -> None:
    with engine.begin() as tx:
        assert recover_dead(tx) == NOBODY


def test_a_requeued_delivery_waits_as_if_new(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 3), add_worker(tx)
        refused, fine, _ = claim_deliveries(tx, campaign_id, mine)
        hand_over(tx, mine, refused, fine)
        record_verdict(tx, mine, Verdict.REFUSED, refused)
        record_verdict(tx, mine, Verdict.ACCEPTED, fine)

        looked = deliveries.requeue(tx, campaign_id, DeliveryState.FAILED, 0, 10, LATER)
        end = deliveries.requeue(tx, campaign_id, DeliveryState.FAILED, looked or 0, 10, LATER)
        [again] = claim_deliveries(tx, campaign_id, mine, now=LATER)

    assert (looked, end) == (3, None)
    assert (again.id, again.attempts, again.dated_at, again.queued_at) == (refused.id, 0, None, LATER)


def test_wrongly_refused_deliveries_wait_until_their_due_time(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 3), add_worker(tx)
        first, second, _ = claimed = claim_deliveries(tx, campaign_id, mine)
        hand_over(tx, mine, first, second)
        record_verdict(tx, mine, Verdict.REFUSED, first)

        found = deliveries.requeue_failed(tx, {one.id: LATER for one in claimed})
        now, due = state_counts(tx, campaign_id), delivery_row(tx, first.id).due_at

    assert found == [first.id]
    assert now == {DeliveryState.DEFERRED: 1, HANDED: 1, CLAIMED: 1}
    assert due == LATER


def test_a_known_worker_can_renew_its_lease(engine: Engine) -> None:
    with engine.begin() as tx:
        mine = workers.register(tx, "campaigns", NOW)
        workers.renew_lease(tx, mine, LATER)
        known = tx.execute(select(worker_table.c.id, worker_table.c.lease_until)).all()
        recover_dead(tx, mine)

        assert known == [(mine, LATER + workers.LEASE)]
        with pytest.raises(LeaseLost):
            workers.renew_lease(tx, mine, LATER)


@pytest.mark.parametrize("language", [None, "en", "de", "de-at", "tr"])
def test_each_reader_gets_the_newest_text_in_their_language_or_the_default_one(
    engine: Engine, language: str | None
) -> None:
    def claimed(tx: Connection) -> Delivery:
        campaign_id = launched_campaign(tx, 1)
        tx.exec_driver_sql(f"UPDATE subscriber SET language = {language!r}" if language else "SELECT 1")
        return claim_deliveries(tx, campaign_id, add_worker(tx))[0]

    with engine.begin() as tx:
        one = claimed(tx)

    assert one.revision_id == (2 if (language or "").startswith("de") else 1)
