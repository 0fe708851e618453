"""Deliveries that nobody would ever take: they are found, whatever left them so, and nothing else is taken for one."""

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
    answer,
    counts,
    find_orphans,
    hand,
    launched,
    leave,
    open_claims,
    row,
    take,
    worker,
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
    accepted, deferred, again, handed, back, left, _ = take(tx, campaign_id, mine, 7)
    hand(tx, mine, accepted, deferred, again, handed)
    answer(tx, mine, Verdict.ACCEPTED, accepted)
    answer(tx, mine, Verdict.DEFERRED, deferred, again)
    claim_release.put_back(tx, [(back.id, LATER)], NOW)
    leave(tx, left.address, EVERY_LIST)
    take(tx, campaign_id, mine, 1, NOW + timedelta(minutes=5))
    for number in range(3):
        add_notice(tx, f"{number}@example.org")
    hand(tx, mine, take(tx, NOTICES, mine, 2)[0])


def test_whatever_waits_or_is_held_or_is_settled_is_none(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched(tx, 9), worker(tx)
        everywhere(tx, campaign_id, mine)
        rows = [row(tx, number) for number in range(1, 13)]

        found = [find_orphans(tx, one) for one in (campaign_id, NOTICES)]
        taken = [orphans.take_back(tx, one, range(20), NOW).ids for one in (campaign_id, NOTICES)]
        empty = [orphans.drop_empty_claims(tx, one) for one in (campaign_id, NOTICES)]

        assert found == taken == empty == [[], []]
        assert [row(tx, number) for number in range(1, 13)] == rows


@pytest.mark.parametrize("fault", [forget_claims, forget_workers])
def test_what_was_held_under_a_claim_that_is_gone_is_found_and_waits_again(
    engine: Engine, fault: Callable[[Connection], None]
) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched(tx, 9), worker(tx)
        everywhere(tx, campaign_id, mine)
        before, noticed = counts(tx, campaign_id), counts(tx, NOTICES)
        fault(tx)

        found = [find_orphans(tx, one) for one in (campaign_id, NOTICES)]
        taken = [orphans.take_back(tx, one, range(20), NOW).ids for one in (campaign_id, NOTICES)]
        empty = [orphans.drop_empty_claims(tx, one) for one in (campaign_id, NOTICES)]
        again = [find_orphans(tx, one) for one in (campaign_id, NOTICES)]
        mine = worker(tx)
        claimed = {one.id: one for one in (*take(tx, campaign_id, mine), *take(tx, NOTICES, mine))}

        assert (before[DeliveryState.HANDED], before[DeliveryState.CLAIMED]) == (1, 2)
        assert (noticed[DeliveryState.HANDED], noticed[DeliveryState.CLAIMED]) == (1, 1)
        assert [len(ids) for ids in found] == [3, 2]
        assert (taken, again) == (found, [[], []])
        assert all(empty) == (fault is forget_workers)
        assert {*found[0], *found[1]} < set(claimed)
        assert [claimed[number].resends for number in found[0]].count(1) == 1
        assert len(open_claims(tx)) == 2


def test_a_letter_of_unknown_fate_is_parked_where_its_campaign_says_so(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched(tx, 1, when_uncertain="park"), worker(tx)
        hand(tx, mine, *take(tx, campaign_id, mine))
        forget_claims(tx)

        orphans.take_back(tx, campaign_id, [1], NOW)

        assert counts(tx, campaign_id) == {UNCERTAIN: 1}


def test_a_living_workers_older_claim_hides_nobody(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine, other = launched(tx, 3), worker(tx), worker(tx)
        first, *_ = take(tx, campaign_id, mine)
        claim_release.put_back(tx, [(first.id, NOW)], NOW)
        take(tx, campaign_id, other, 1)
        tx.execute(delete(claim).where(claim.c.worker_id == other))

        assert find_orphans(tx, campaign_id) == [first.id]


@pytest.mark.parametrize(
    ("state", "then", "becomes"), [(SENT, SENDING, QUEUED), (PAUSED, PAUSED, QUEUED), (CANCELLED, CANCELLED, CANCELLED)]
)
def test_a_campaign_that_is_over_is_watched_for_a_day_and_one_that_was_sent_goes_on(
    engine: Engine, state: CampaignState, then: CampaignState, becomes: str
) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched(tx, 2), worker(tx)
        take(tx, campaign_id, mine)
        forget_claims(tx)
        campaigns.move(tx, campaign_id, state, of=(SENDING,), finished_at=NOW)
        watched = [orphans.watched(tx, NOW + timedelta(hours=hours)) for hours in (23, 25)]

        orphans.take_back(tx, campaign_id, find_orphans(tx, campaign_id), LATER)

        assert watched == [[NOTICES, campaign_id], [NOTICES, *([campaign_id] if state is PAUSED else [])]]
        assert campaigns.get(tx, campaign_id).state is then
        assert counts(tx, campaign_id) == {becomes: 2}


def test_a_claim_of_which_nothing_is_held_any_more_keeps_no_campaign_open(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine, other = launched(tx, 4), worker(tx), worker(tx)
        first, second, third, _ = take(tx, campaign_id, mine)
        hand(tx, mine, first, second)
        answer(tx, mine, Verdict.ACCEPTED, first)
        answer(tx, mine, Verdict.DEFERRED, second)
        claim_release.put_back(tx, [(third.id, LATER), (4, LATER)], NOW)
        [again] = take(tx, campaign_id, other, 1, NOW + timedelta(minutes=5))

        assert orphans.drop_empty_claims(tx, campaign_id) == [first.claim_id]
        assert orphans.drop_empty_claims(tx, campaign_id) == []
        assert open_claims(tx) == {again.claim_id}
