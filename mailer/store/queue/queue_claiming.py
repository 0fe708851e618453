"""What a worker claims at a time: a fair share of each campaign, within the rate limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.delivery import NOTICES, Delivery
from mailer.domain.rate_limits import Limits
from mailer.store import campaign_progress, campaigns
from mailer.store.queue import claim_release, claims, rate_budgets, workers
from mailer.store.queue import lane_holds as holds
from mailer.store.queue.lane_holds import Hold

_MAX_ROUNDS = 5
"""How often to claim more when everything claimed exceeds the limits of its domain."""


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """The state of the queue for one priority."""

    due: list[int]
    """Campaigns of which something can be claimed."""
    finished: list[int]
    """Campaigns without an open delivery."""
    holds: dict[str, Hold]


def inspect_queue(tx: Connection, notices: bool, now: datetime) -> QueueStatus:
    """Look at the queue of the notices, or of the campaigns."""
    standing = holds.holds_by_lane(tx)
    if notices:
        return QueueStatus([NOTICES] if campaign_progress.any_due(tx, NOTICES, now) else [], [], standing)
    going = campaigns.ids_in_states(tx, CampaignState.SENDING)
    due = [one for one in going if campaign_progress.any_due(tx, one, now)]
    return QueueStatus(
        due, [one for one in going if one not in due and not campaign_progress.any_open(tx, one)], standing
    )


def claim_within_limits(
    tx: Connection,
    campaign_ids: Sequence[int],
    worker_id: int,
    limit: int,
    now: datetime,
    limits: Mapping[str, Limits],
) -> list[Delivery]:
    """Claim about `limit` deliveries of these campaigns; what exceeds its domain's `limits` waits until they allow it.

    Raises LeaseLost.
    """
    workers.check_lease(tx, worker_id)
    for _ in range(_MAX_ROUNDS):
        fetched = _claim_fair_shares(tx, campaign_ids, worker_id, limit, now)
        left = _put_back_over_limits(tx, fetched, now, limits) if limits else fetched
        if left or not fetched:
            break
    return left


def _claim_fair_shares(
    tx: Connection, campaign_ids: Sequence[int], worker_id: int, limit: int, now: datetime
) -> list[Delivery]:
    share = -(-limit // max(len(campaign_ids), 1))
    fetched: list[Delivery] = []
    for campaign_id in campaign_ids:
        allowed = (
            share if campaign_id == NOTICES else _allowed_by_schedule(tx, campaigns.get(tx, campaign_id), share, now)
        )
        if allowed:
            fetched += claims.claim_deliveries(tx, campaign_id, worker_id, allowed, now)
    return fetched


def _allowed_by_schedule(tx: Connection, campaign: Campaign, limit: int, now: datetime) -> int:
    """How many letters of a campaign whose sending is spread over time may go now."""
    if campaign.state is not CampaignState.SENDING:
        return 0
    if not campaign.over_s or not campaign.audience:
        return limit
    rate = campaign.audience / campaign.over_s
    grant = rate_budgets.lease(tx, f"campaign {campaign.id}", Limits(per_second=rate), limit, now)
    return grant.letters  # some go up to a second early: a lease that is not used would be lost


def _put_back_over_limits(
    tx: Connection, fetched: list[Delivery], now: datetime, limits: Mapping[str, Limits]
) -> list[Delivery]:
    by_domain: defaultdict[str, list[Delivery]] = defaultdict(list)
    for one in fetched:
        if one.domain in limits:
            by_domain[one.domain].append(one)
    later: dict[int, datetime] = {}
    for domain, waiting in sorted(by_domain.items()):
        grant = rate_budgets.lease(tx, domain, limits[domain], len(waiting), now)
        due_at = grant.next_after()
        for place, one in enumerate(waiting[grant.letters :]):
            later[one.id] = due_at + timedelta(seconds=place * grant.every_s)
    claim_release.release_deliveries(tx, list(later.items()), now)
    left = [one for one in fetched if one.id not in later]
    claims.delete_claims(tx, {one.claim_id for one in fetched} - {one.claim_id for one in left})
    return left
