"""The governor: pauses a campaign, or holds its letters to one provider, when too many fail, and tells the owner."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.delivery import Kind, Notice
from mailer.domain.governor import (
    CHECK_INTERVAL,
    CounterKey,
    DeliveryCounts,
    GovernorDecision,
    ThresholdBreach,
    decide_pause_or_hold,
    held_until,
)
from mailer.store import campaigns, governor_counts, locks, mailing_lists
from mailer.store.locks import Lock
from mailer.store.queue import deliveries, lane_holds
from mailer.store.queue.lane_holds import Hold

_log = structlog.get_logger()

_CHUNK = 500
"""Counters recorded in one transaction."""


async def apply_governor(app: App, counts: Mapping[CounterKey, int]) -> None:
    """Record these counts (how many more, by campaign, provider and kind), and stop what passes its limits.

    Each campaign that is sending is checked once in ten seconds, by one of the processes. Only letters sent since it
    was resumed count, and for a provider since its letters were last held.
    """
    items = list(counts.items())
    for begin in range(0, len(items), _CHUNK):
        await app.database.write(governor_counts.add_counts, dict(items[begin : begin + _CHUNK]), app.clock())
    for campaign_id in await app.database.read(campaigns.ids_in_states, CampaignState.SENDING):
        of = f"campaign {campaign_id}"
        if not await app.database.write(locks.acquire, Lock.CHECK, of, CHECK_INTERVAL, app.clock()):
            continue
        decision, _ = await app.database.read(_decide, app, campaign_id)
        if decision.pause or decision.hold:
            await app.database.write(_apply_decision, app, campaign_id)


def _decide(tx: Connection, app: App, campaign_id: int) -> tuple[GovernorDecision, dict[str, DeliveryCounts]]:
    providers = governor_counts.load_counts(tx, campaign_id)
    whole = providers.pop(governor_counts.ALL_PROVIDERS, DeliveryCounts())
    return decide_pause_or_hold(whole, providers, app.governor), providers


def _apply_decision(tx: Connection, app: App, campaign_id: int) -> None:
    """Decide again under the lock, since the campaign may have been paused or resumed meanwhile; then stop."""
    campaign = campaigns.get(tx, campaign_id, lock=True)
    if campaign.state is not CampaignState.SENDING:
        return
    decision, providers = _decide(tx, app, campaign_id)
    if decision.pause is not None:
        _pause_campaign(tx, app, campaign, decision.pause)
    for breach in decision.hold:
        _hold_provider(tx, app, campaign, breach, providers[breach.provider or ""])


def _pause_campaign(tx: Connection, app: App, campaign: Campaign, breach: ThresholdBreach) -> None:
    remark = f"stopped by itself: {breach}"
    sending, now = (CampaignState.SENDING,), app.clock()
    campaigns.change_state(tx, campaign.id, CampaignState.PAUSED, from_states=sending, remark=remark, stopped_at=now)
    _log.warning("stopped campaign", campaign=campaign.id, reason=str(breach))
    deliveries.add_notice(tx, _build_notice(tx, app, campaign, breach, held=False), app.clock())


def _hold_provider(tx: Connection, app: App, campaign: Campaign, breach: ThresholdBreach, was: DeliveryCounts) -> None:
    now, provider = app.clock(), breach.provider or ""
    until = held_until(governor_counts.record_hold(tx, campaign.id, provider, was, now), now)
    reason = f"campaign {campaign.id}: {breach}"
    standing = lane_holds.holds_by_lane(tx).get(provider)
    if standing is None or standing.until < until:
        lane_holds.set_hold(tx, Hold(lane=provider, until=until, reason=reason), now)
    _log.warning("stopped lane", lane=provider, campaign=campaign.id, until=until, reason=reason)
    deliveries.add_notice(tx, _build_notice(tx, app, campaign, breach, held=True), now)


def _build_notice(tx: Connection, app: App, campaign: Campaign, breach: ThresholdBreach, *, held: bool) -> Notice:
    """The notice to the list's owner: one for each pause, and one for each provider and campaign."""
    mailing_list = mailing_lists.get(tx, campaign.mailing_list_id)
    what = f"held {campaign.id} {breach.provider}" if held else f"paused {campaign.id} {app.clock():%Y%m%dT%H%M%S}"
    return app.notice_to_owner(
        Kind.PAUSED,
        mailing_list,
        {
            "campaign": campaign.id,
            "subject": campaign.subject,
            "ill": breach.metric,
            "number": breach.number,
            "of": breach.total,
            "provider": breach.provider,
            "held": held,
        },
        cause=what,
    )
