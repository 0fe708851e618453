"""The group commit: fates and next letters share a transaction, and a claim ends with its last letter, not before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from mailer.domain.delivery import DeliveryState, Verdict
from mailer.errors import DatabaseUnavailable
from mailer.store import campaign_progress
from mailer.store.database import Database
from mailer.store.queue import gate
from mailer.store.queue.outcome_group_commit import OutcomeGroupCommit
from tests.support.queue_helpers import (
    HANDED,
    NOW,
    add_worker,
    claim_deliveries,
    delivery_outcome,
    delivery_row,
    hand_over,
    handoff_request,
    launched_campaign,
    open_claims,
    record_verdict,
    state_counts,
)


class Watched:
    """A database whose turns are noted, and kept waiting where that is wished."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.turns: list[tuple[int, int, int]] = []
        """How many were settled, wanted and done in each."""
        self.reached, self.released = asyncio.Event(), asyncio.Event()
        self.released.set()
        self.error: Exception | None = None

    async def write(self, work: Callable[..., Any], *arguments: Any) -> Any:
        if work is gate.commit_batch:
            _, given_settled, given_wanted, done, _ = arguments
            self.turns.append((len(given_settled), len(given_wanted), len(done)))
            if given_settled or given_wanted:
                self.reached.set()
                await self.released.wait()
            if self.error:
                raise self.error
        return await self.database.write(work, *arguments)


@pytest.fixture
async def watched(database: Database) -> Watched:
    return Watched(database)


async def ledger_of(watched: Watched, people: int) -> tuple[OutcomeGroupCommit, int, int, list[Any]]:
    """A worker's ledger, the worker, its campaign, and what it has claimed of it."""
    campaign_id, mine = await watched.write(launched_campaign, people), await watched.write(add_worker)
    claimed = await watched.write(claim_deliveries, campaign_id, mine)
    ledger = OutcomeGroupCommit(watched, mine, lambda: NOW)  # type: ignore[arg-type]
    ledger.add_claimed(claimed)
    return ledger, mine, campaign_id, claimed


async def test_turns_that_come_while_one_is_written_share_the_next(watched: Watched) -> None:
    ledger, _, campaign_id, claimed = await ledger_of(watched, 10)
    watched.released.clear()

    turns = [asyncio.create_task(ledger.commit(None, handoff_request(one))) for one in claimed]
    await watched.reached.wait()
    await asyncio.sleep(0)
    watched.released.set()
    went = await asyncio.gather(*turns)

    assert went == [True] * 10
    assert len(watched.turns) <= 2
    assert await watched.write(state_counts, campaign_id) == {HANDED: 10}


async def test_a_claim_is_done_with_its_last_letter_and_in_the_same_transaction(watched: Watched) -> None:
    ledger, _, campaign_id, claimed = await ledger_of(watched, 2)
    first, second = claimed
    await ledger.commit(None, handoff_request(first))
    await ledger.commit(delivery_outcome(first, Verdict.ACCEPTED), handoff_request(second))
    before = await watched.write(open_claims)

    await ledger.commit(delivery_outcome(second, Verdict.ACCEPTED))

    assert watched.turns == [(0, 1, 0), (1, 1, 0), (1, 0, 1)]
    assert (len(before), await watched.write(open_claims)) == (1, set())
    assert not await watched.write(campaign_progress.any_open, campaign_id)


async def test_no_claim_ends_before_the_last_of_its_outcomes_is_written(watched: Watched) -> None:
    ledger, _, campaign_id, [one] = await ledger_of(watched, 1)
    await ledger.commit(None, handoff_request(one))
    watched.reached.clear()
    watched.released.clear()

    noting = asyncio.create_task(ledger.commit(delivery_outcome(one, Verdict.DEFERRED)))
    closing = asyncio.create_task(ledger.delete_finished_claims())
    await watched.reached.wait()
    await asyncio.wait([closing], timeout=0.1)
    open_still = await watched.database.read(campaign_progress.any_open, campaign_id)
    held = await watched.database.read(open_claims)
    watched.released.set()
    await asyncio.gather(noting, closing)

    assert open_still
    assert held == {one.claim_id}
    assert await watched.write(open_claims) == set()
    assert (await watched.write(delivery_row, one.id)).state == DeliveryState.DEFERRED


async def test_what_missed_the_gate_or_came_back_unused_ends_its_claim_too(watched: Watched) -> None:
    ledger, _, campaign_id, claimed = await ledger_of(watched, 3)
    first, second, third = claimed
    await watched.write(lambda tx: tx.exec_driver_sql("UPDATE campaign SET state = 'paused'"))

    went = await asyncio.gather(*(ledger.commit(None, handoff_request(one)) for one in (first, second)))
    await watched.write(gate.release_deliveries, [(third.id, NOW)], NOW)
    ledger.count_returned([third.claim_id])
    held = await watched.write(open_claims)
    await ledger.delete_finished_claims()
    await ledger.delete_finished_claims()

    assert went == [False, False]
    assert held == {first.claim_id}
    assert await watched.write(open_claims) == set()
    assert len(watched.turns) <= 3
    assert await watched.write(campaign_progress.any_due, campaign_id, NOW)


async def test_where_a_turn_fails_everybody_in_it_learns_of_it_and_the_next_may_go(watched: Watched) -> None:
    ledger, _, campaign_id, claimed = await ledger_of(watched, 3)
    watched.error = DatabaseUnavailable("the disk is full")

    told = await asyncio.gather(
        *(ledger.commit(None, handoff_request(one)) for one in claimed[:2]), return_exceptions=True
    )
    watched.error = None
    went = await ledger.commit(None, handoff_request(claimed[2]))

    assert [type(one) for one in told] == [DatabaseUnavailable] * 2
    assert went
    assert await watched.write(state_counts, campaign_id) == {HANDED: 1, DeliveryState.CLAIMED: 2}


async def test_a_carrier_that_is_sent_home_while_it_waits_takes_nobody_with_it(watched: Watched) -> None:
    ledger, _, _, [first, second] = await ledger_of(watched, 2)
    watched.released.clear()
    cut = asyncio.create_task(ledger.commit(None, handoff_request(first)))
    other = asyncio.create_task(ledger.commit(None, handoff_request(second)))
    await watched.reached.wait()

    cut.cancel()
    watched.released.set()

    assert await other
    assert cut.cancelled() or cut.cancelling()


async def test_a_turn_with_nothing_to_tell_and_nothing_to_ask_is_none(watched: Watched) -> None:
    ledger, *_ = await ledger_of(watched, 1)

    assert not await ledger.commit(None)
    await ledger.delete_finished_claims()
    assert watched.turns == []


async def test_a_letter_that_is_claimed_again_while_its_first_claim_is_open_ends_both(watched: Watched) -> None:
    ledger, mine, campaign_id, [first, second] = await ledger_of(watched, 2)
    later = NOW + timedelta(hours=1)
    await watched.write(hand_over, mine, first)
    await watched.write(record_verdict, mine, Verdict.DEFERRED, first)
    ledger.count_returned([first.claim_id])
    [again] = await watched.write(claim_deliveries, campaign_id, mine, 9, later)
    ledger.add_claimed([again])

    for one in (again, second):
        await ledger.commit(None, handoff_request(one))
        await ledger.commit(delivery_outcome(one, Verdict.ACCEPTED))

    assert await watched.write(open_claims) == set()
    assert await watched.write(state_counts, campaign_id) == {DeliveryState.ACCEPTED: 2}
