"""Deliveries that no worker would ever take are found, whatever caused them, and nothing else counts as one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, delete

from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import NOTICES, DeliveryState, Kind, Notice, Verdict
from mailer.domain.suppression import EVERY_LIST
from mailer.store import campaigns
from mailer.store.queue import claim_release, deliveries, orphans
from mailer.store.queue.queue_tables import claim
from mailer.store.queue.queue_tables import worker as worker_table
from tests.support.queue_helpers import (
    CANCELLED,
    NOW,
    PAUSED,
    QUEUED,
    SENDING,
    SENT,
    add_worker,
    claim_deliveries,
    delivery_row,
    find_orphans,
    hand_over,
    launched_campaign,
    leave_list,
    open_claims,
    record_verdict,
    state_counts,
)

LATER = NOW + timedelta(hours=1)
UNCERTAIN = DeliveryState.UNCERTAIN


def add_notice(tx: Connection, address: str = "rosa@example.org") -> None:
    deliveries.add_notice(tx, Notice(kind=Kind.HELP, address=address, suppression_key=address, language="en"), NOW)


def forget_claims(tx: Connection) -> None:
    tx.execute(delete(claim))


def forget_workers(tx: Connection) -> None:
    tx.execute(delete(worker_table))


def everywhere(tx: Connection, campaign_id: int, mine: int) -> None:
    """Deliveries in all places where one may rightly be."""
    accepted, deferred, again, handed, back, left, _ = claim_deliveries(tx, campaign_id, mine, 7)
    hand_over(tx, mine, accepted, deferred, again, handed)
    record_verdict(tx, mine, Verdict.ACCEPTED, accepted)
    record_verdict(tx, mine, Verdict.DEFERRED, deferred, again)
    claim_release.release_deliveries(tx, [(back.id, LATER)], NOW)
    leave_list(tx, left.address, EVERY_LIST)
    claim_deliveries(tx, campaign_id, mine, 1, NOW + timedelta(minutes=5))
    for number in range(3):
        add_notice(tx, f"{number}@example.org")
    hand_over(tx, mine, claim_deliveries(tx, NOTICES, mine, 2)[0])


def test_waiting_held_and_settled_deliveries_are_not_orphans(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 9), add_worker(tx)
        everywhere(tx, campaign_id, mine)
        rows = [delivery_row(tx, number) for number in range(1, 13)]

        found = [find_orphans(tx, one) for one in (campaign_id, NOTICES)]
        taken = [orphans.requeue_orphans(tx, one, range(20), NOW).ids for one in (campaign_id, NOTICES)]
        empty = [orphans.delete_empty_claims(tx, one) for one in (campaign_id, NOTICES)]

        assert found == taken == empty == [[], []]
        assert [delivery_row(tx, number) for number in range(1, 13)] == rows


@pytest.mark.parametrize("fault", [forget_claims, forget_workers])
def test_a_delivery_whose_claim_is_gone_is_found_and_requeued(
    engine: Engine, fault: Callable[[Connection], None]
) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 9), add_worker(tx)
        everywhere(tx, campaign_id, mine)
        before, noticed = state_counts(tx, campaign_id), state_counts(tx, NOTICES)
        fault(tx)

        found = [find_orphans(tx, one) for one in (campaign_id, NOTICES)]
        taken = [orphans.requeue_orphans(tx, one, range(20), NOW).ids for one in (campaign_id, NOTICES)]
        empty = [orphans.delete_empty_claims(tx, one) for one in (campaign_id, NOTICES)]
        again = [find_orphans(tx, one) for one in (campaign_id, NOTICES)]
        mine = add_worker(tx)
        claimed = {
            one.id: one for one in (*claim_deliveries(tx, campaign_id, mine), *claim_deliveries(tx, NOTICES, mine))
        }

        assert (before[DeliveryState.HANDED], before[DeliveryState.CLAIMED]) == (1, 2)
        assert (noticed[DeliveryState.HANDED], noticed[DeliveryState.CLAIMED]) == (1, 1)
        assert [len(ids) for ids in found] == [3, 2]
        assert (taken, again) == (found, [[], []])
        assert all(empty) == (fault is forget_workers)
        assert {*found[0], *found[1]} < set(claimed)
        assert [claimed[number].resends for number in found[0]].count(1) == 1
        assert len(open_claims(tx)) == 2


def test_an_orphan_of_unknown_outcome_is_parked_where_its_campaign_says_so(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 1, when_uncertain="park"), add_worker(tx)
        hand_over(tx, mine, *claim_deliveries(tx, campaign_id, mine))
        forget_claims(tx)

        orphans.requeue_orphans(tx, campaign_id, [1], NOW)

        assert state_counts(tx, campaign_id) == {UNCERTAIN: 1}


def test_an_older_claim_of_a_live_worker_hides_no_orphan(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine, other = launched_campaign(tx, 3), add_worker(tx), add_worker(tx)
        first, *_ = claim_deliveries(tx, campaign_id, mine)
        claim_release.release_deliveries(tx, [(first.id, NOW)], NOW)
        claim_deliveries(tx, campaign_id, other, 1)
        tx.execute(delete(claim).where(claim.c.worker_id == other))

        assert find_orphans(tx, campaign_id) == [first.id]


@pytest.mark.parametrize(
    ("state", "then", "becomes"), [(SENT, SENDING, QUEUED), (PAUSED, PAUSED, QUEUED), (CANCELLED, CANCELLED, CANCELLED)]
)
def test_a_finished_campaign_is_checked_for_a_day_and_a_sent_one_resumes(
    engine: Engine, state: CampaignState, then: CampaignState, becomes: str
) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 2), add_worker(tx)
        claim_deliveries(tx, campaign_id, mine)
        forget_claims(tx)
        campaigns.change_state(tx, campaign_id, state, from_states=(SENDING,), finished_at=NOW)
        checked = [orphans.list_campaigns_to_check(tx, NOW + timedelta(hours=hours)) for hours in (23, 25)]

        orphans.requeue_orphans(tx, campaign_id, find_orphans(tx, campaign_id), LATER)

        assert checked == [[NOTICES, campaign_id], [NOTICES, *([campaign_id] if state is PAUSED else [])]]
        assert campaigns.get(tx, campaign_id).state is then
        assert state_counts(tx, campaign_id) == {becomes: 2}


def test_an_empty_claim_is_deleted_and_keeps_no_campaign_open(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine, other = launched_campaign(tx, 4), add_worker(tx), add_worker(tx)
        first, second, third, _ = claim_deliveries(tx, campaign_id, mine)
        hand_over(tx, mine, first, second)
        record_verdict(tx, mine, Verdict.ACCEPTED, first)
        record_verdict(tx, mine, Verdict.DEFERRED, second)
        claim_release.release_deliveries(tx, [(third.id, LATER), (4, LATER)], NOW)
        [again] = claim_deliveries(tx, campaign_id, other, 1, NOW + timedelta(minutes=5))

        assert orphans.delete_empty_claims(tx, campaign_id) == [first.claim_id]
        assert orphans.delete_empty_claims(tx, campaign_id) == []
        assert open_claims(tx) == {again.claim_id}
