"""Outcomes and next letters share a transaction, and a claim is deleted with its last letter, not before."""

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


class RecordingDatabase:
    """Records the batches, and lets them wait until `released` is set."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.commits: list[tuple[int, int, int]] = []
        """The number of outcomes, requests and finished claims in each."""
        self.reached, self.released = asyncio.Event(), asyncio.Event()
        self.released.set()
        self.error: Exception | None = None

    async def write(self, work: Callable[..., Any], *arguments: Any) -> Any:
        if work is gate.commit_batch:
            _, outcomes, requests, done, _ = arguments
            self.commits.append((len(outcomes), len(requests), len(done)))
            if outcomes or requests:
                self.reached.set()
                await self.released.wait()
            if self.error:
                raise self.error
        return await self.database.write(work, *arguments)


@pytest.fixture
async def recording(database: Database) -> RecordingDatabase:
    return RecordingDatabase(database)


async def group_commit_of(recording: RecordingDatabase, people: int) -> tuple[OutcomeGroupCommit, int, int, list[Any]]:
    """A worker's group commit, the worker, its campaign, and what it has claimed of it."""
    campaign_id, mine = await recording.write(launched_campaign, people), await recording.write(add_worker)
    claimed = await recording.write(claim_deliveries, campaign_id, mine)
    group_commit = OutcomeGroupCommit(recording, mine, lambda: NOW)  # type: ignore[arg-type]
    group_commit.add_claimed(claimed)
    return group_commit, mine, campaign_id, claimed


async def test_commits_that_arrive_while_one_runs_share_the_next(recording: RecordingDatabase) -> None:
    group_commit, _, campaign_id, claimed = await group_commit_of(recording, 10)
    recording.released.clear()

    commits = [asyncio.create_task(group_commit.commit(None, handoff_request(one))) for one in claimed]
    await recording.reached.wait()
    await asyncio.sleep(0)
    recording.released.set()
    went = await asyncio.gather(*commits)

    assert went == [True] * 10
    assert len(recording.commits) <= 2
    assert await recording.write(state_counts, campaign_id) == {HANDED: 10}


async def test_a_claim_is_finished_with_its_last_letter_in_the_same_transaction(recording: RecordingDatabase) -> None:
    group_commit, _, campaign_id, claimed = await group_commit_of(recording, 2)
    first, second = claimed
    await group_commit.commit(None, handoff_request(first))
    await group_commit.commit(delivery_outcome(first, Verdict.ACCEPTED), handoff_request(second))
    before = await recording.write(open_claims)

    await group_commit.commit(delivery_outcome(second, Verdict.ACCEPTED))

    assert recording.commits == [(0, 1, 0), (1, 1, 0), (1, 0, 1)]
    assert (len(before), await recording.write(open_claims)) == (1, set())
    assert not await recording.write(campaign_progress.any_open, campaign_id)


async def test_no_claim_is_deleted_before_its_last_outcome_is_written(recording: RecordingDatabase) -> None:
    group_commit, _, campaign_id, [one] = await group_commit_of(recording, 1)
    await group_commit.commit(None, handoff_request(one))
    recording.reached.clear()
    recording.released.clear()

    noting = asyncio.create_task(group_commit.commit(delivery_outcome(one, Verdict.DEFERRED)))
    closing = asyncio.create_task(group_commit.delete_finished_claims())
    await recording.reached.wait()
    await asyncio.wait([closing], timeout=0.1)
    open_still = await recording.database.read(campaign_progress.any_open, campaign_id)
    held = await recording.database.read(open_claims)
    recording.released.set()
    await asyncio.gather(noting, closing)

    assert open_still
    assert held == {one.claim_id}
    assert await recording.write(open_claims) == set()
    assert (await recording.write(delivery_row, one.id)).state == DeliveryState.DEFERRED


async def test_deliveries_that_missed_the_gate_or_were_unused_finish_their_claim_too(
    recording: RecordingDatabase,
) -> None:
    group_commit, _, campaign_id, claimed = await group_commit_of(recording, 3)
    first, second, third = claimed
    await recording.write(lambda tx: tx.exec_driver_sql("UPDATE campaign SET state = 'paused'"))

    went = await asyncio.gather(*(group_commit.commit(None, handoff_request(one)) for one in (first, second)))
    await recording.write(gate.release_deliveries, [(third.id, NOW)], NOW)
    group_commit.count_returned([third.claim_id])
    held = await recording.write(open_claims)
    await group_commit.delete_finished_claims()
    await group_commit.delete_finished_claims()

    assert went == [False, False]
    assert held == {first.claim_id}
    assert await recording.write(open_claims) == set()
    assert len(recording.commits) <= 3
    assert await recording.write(campaign_progress.any_due, campaign_id, NOW)


async def test_when_a_commit_fails_all_its_callers_get_the_error_and_the_next_one_works(
    recording: RecordingDatabase,
) -> None:
    group_commit, _, campaign_id, claimed = await group_commit_of(recording, 3)
    recording.error = DatabaseUnavailable("the disk is full")

    answers = await asyncio.gather(
        *(group_commit.commit(None, handoff_request(one)) for one in claimed[:2]), return_exceptions=True
    )
    recording.error = None
    went = await group_commit.commit(None, handoff_request(claimed[2]))

    assert [type(one) for one in answers] == [DatabaseUnavailable] * 2
    assert went
    assert await recording.write(state_counts, campaign_id) == {HANDED: 1, DeliveryState.CLAIMED: 2}


async def test_a_cancelled_caller_does_not_fail_the_others_of_its_commit(recording: RecordingDatabase) -> None:
    group_commit, _, _, [first, second] = await group_commit_of(recording, 2)
    recording.released.clear()
    cut = asyncio.create_task(group_commit.commit(None, handoff_request(first)))
    other = asyncio.create_task(group_commit.commit(None, handoff_request(second)))
    await recording.reached.wait()

    cut.cancel()
    recording.released.set()

    assert await other
    assert cut.cancelled() or cut.cancelling()


async def test_a_commit_without_outcome_or_request_writes_nothing(recording: RecordingDatabase) -> None:
    group_commit, *_ = await group_commit_of(recording, 1)

    assert not await group_commit.commit(None)
    await group_commit.delete_finished_claims()
    assert recording.commits == []


async def test_a_letter_claimed_again_while_its_first_claim_is_open_finishes_both_claims(
    recording: RecordingDatabase,
) -> None:
    group_commit, mine, campaign_id, [first, second] = await group_commit_of(recording, 2)
    later = NOW + timedelta(hours=1)
    await recording.write(hand_over, mine, first)
    await recording.write(record_verdict, mine, Verdict.DEFERRED, first)
    group_commit.count_returned([first.claim_id])
    [again] = await recording.write(claim_deliveries, campaign_id, mine, 9, later)
    group_commit.add_claimed([again])

    for one in (again, second):
        await group_commit.commit(None, handoff_request(one))
        await group_commit.commit(delivery_outcome(one, Verdict.ACCEPTED))

    assert await recording.write(open_claims) == set()
    assert await recording.write(state_counts, campaign_id) == {DeliveryState.ACCEPTED: 2}
