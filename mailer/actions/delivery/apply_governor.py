"""The governor: a blast that meets too much trouble stops by itself, at one provider or everywhere, and says why."""

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
"""Numbers written down in one transaction."""


async def apply_governor(app: App, counts: Mapping[CounterKey, int]) -> None:
    """Write down what was `heard` (campaign, provider, what: how many more), and stop what passes its limits.

    Each campaign that is sending is looked at once in ten seconds, by whichever process. Only the letters count that
    went out since it was resumed, and of a provider since its letters were last held.
    """
    told = list(counts.items())
    for begin in range(0, len(told), _CHUNK):
        await app.database.write(governor_counts.add_counts, dict(told[begin : begin + _CHUNK]), app.clock())
    for campaign_id in await app.database.read(campaigns.ids_in_states, CampaignState.SENDING):
        of = f"campaign {campaign_id}"
        if not await app.database.write(locks.acquire, Lock.CHECK, of, CHECK_INTERVAL, app.clock()):
            continue
        verdict, _ = await app.database.read(_decide, app, campaign_id)
        if verdict.pause or verdict.hold:
            await app.database.write(_apply_decision, app, campaign_id)


def _decide(tx: Connection, app: App, campaign_id: int) -> tuple[GovernorDecision, dict[str, DeliveryCounts]]:
    providers = governor_counts.load_counts(tx, campaign_id)
    whole = providers.pop(governor_counts.ALL_PROVIDERS, DeliveryCounts())
    return decide_pause_or_hold(whole, providers, app.governor), providers


def _apply_decision(tx: Connection, app: App, campaign_id: int) -> None:
    """Unless it was stopped, or resumed, since we looked."""
    campaign = campaigns.get(tx, campaign_id, lock=True)
    if campaign.state is not CampaignState.SENDING:
        return
    verdict, providers = _decide(tx, app, campaign_id)
    if verdict.pause is not None:
        _pause_campaign(tx, app, campaign, verdict.pause)
    for trouble in verdict.hold:
        _hold_provider(tx, app, campaign, trouble, providers[trouble.provider or ""])


def _pause_campaign(tx: Connection, app: App, campaign: Campaign, trouble: ThresholdBreach) -> None:
    remark = f"stopped by itself: {trouble}"
    campaigns.change_state(tx, campaign.id, CampaignState.PAUSED, from_states=(CampaignState.SENDING,), remark=remark)
    _log.warning("campaign paused", campaign=campaign.id, why=str(trouble))
    deliveries.add_notice(tx, _build_notice(tx, app, campaign, trouble, held=False), app.clock())


def _hold_provider(tx: Connection, app: App, campaign: Campaign, trouble: ThresholdBreach, was: DeliveryCounts) -> None:
    now, provider = app.clock(), trouble.provider or ""
    until = held_until(governor_counts.record_hold(tx, campaign.id, provider, was, now), now)
    reason = f"campaign {campaign.id}: {trouble}"
    standing = lane_holds.holds_by_lane(tx).get(provider)
    if standing is None or standing.until < until:
        lane_holds.set_hold(tx, Hold(lane=provider, until=until, reason=reason), now)
    _log.warning("held", lane=provider, until=until, why=reason)
    deliveries.add_notice(tx, _build_notice(tx, app, campaign, trouble, held=True), now)


def _build_notice(tx: Connection, app: App, campaign: Campaign, trouble: ThresholdBreach, *, held: bool) -> Notice:
    """Of each pause an owner is told, of a provider's holds once in a campaign."""
    mailing_list = mailing_lists.get(tx, campaign.mailing_list_id)
    what = f"held {campaign.id} {trouble.provider}" if held else f"paused {campaign.id} {app.clock():%Y%m%dT%H%M%S}"
    return app.notice_to_owner(
        Kind.PAUSED,
        mailing_list,
        {
            "campaign": campaign.id,
            "subject": campaign.subject,
            "ill": trouble.metric,
            "number": trouble.number,
            "of": trouble.total,
            "provider": trouble.provider,
            "held": held,
        },
        cause=what,
    )
