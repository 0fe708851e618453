"""The governor: a blast that meets too much trouble stops by itself, at one provider or everywhere, and says why."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.abuse_limits import Counted
from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.delivery import Kind, Notice
from mailer.domain.governor import LOOK_EVERY, Heard, Key, Trouble, Verdict, held_until
from mailer.domain.governor import govern as judge
from mailer.store import campaigns, counters, governor_counts, mailing_lists
from mailer.store.queue import deliveries, lane_holds
from mailer.store.queue.lane_holds import Hold

_log = structlog.get_logger()

_CHUNK = 500
"""Numbers written down in one transaction."""


async def govern(app: App, heard: Mapping[Key, int]) -> None:
    """Write down what was `heard` (campaign, provider, what: how many more), and stop what passes its limits.

    Each campaign that is sending is looked at once in ten seconds, by whichever process. Only the letters count that
    went out since it was resumed, and of a provider since its letters were last held.
    """
    told = list(heard.items())
    for begin in range(0, len(told), _CHUNK):
        await app.database.write(governor_counts.note, dict(told[begin : begin + _CHUNK]), app.clock())
    for campaign_id in await app.database.read(campaigns.ids_in, CampaignState.SENDING):
        of = f"campaign {campaign_id}"
        if await app.database.write(counters.count, Counted.LOOKED, of, LOOK_EVERY, app.clock()) > 1:
            continue
        verdict, _ = await app.database.read(_judged, app, campaign_id)
        if verdict.pause or verdict.hold:
            await app.database.write(_stop, app, campaign_id)
            app.bells.notices.set()


def _judged(tx: Connection, app: App, campaign_id: int) -> tuple[Verdict, dict[str, Heard]]:
    providers = governor_counts.heard(tx, campaign_id)
    whole = providers.pop(governor_counts.WHOLE, Heard())
    return judge(whole, providers, app.governor), providers


def _stop(tx: Connection, app: App, campaign_id: int) -> None:
    """Unless it was stopped, or resumed, since we looked."""
    campaign = campaigns.get(tx, campaign_id, lock=True)
    if campaign.state is not CampaignState.SENDING:
        return
    verdict, providers = _judged(tx, app, campaign_id)
    if verdict.pause is not None:
        _pause(tx, app, campaign, verdict.pause)
    for trouble in verdict.hold:
        _hold(tx, app, campaign, trouble, providers[trouble.provider or ""])


def _pause(tx: Connection, app: App, campaign: Campaign, trouble: Trouble) -> None:
    remark = f"stopped by itself: {trouble}"
    campaigns.move(tx, campaign.id, CampaignState.PAUSED, of=(CampaignState.SENDING,), remark=remark)
    _log.warning("campaign paused", campaign=campaign.id, why=str(trouble))
    deliveries.add_notice(tx, _told(tx, app, campaign, trouble, held=False), app.clock())


def _hold(tx: Connection, app: App, campaign: Campaign, trouble: Trouble, was: Heard) -> None:
    now, provider = app.clock(), trouble.provider or ""
    until = held_until(governor_counts.hold(tx, campaign.id, provider, was, now), now)
    reason = f"campaign {campaign.id}: {trouble}"
    standing = lane_holds.every(tx).get(provider)
    if standing is None or standing.until < until:
        lane_holds.put(tx, Hold(lane=provider, until=until, reason=reason), now)
    _log.warning("held", lane=provider, until=until, why=reason)
    deliveries.add_notice(tx, _told(tx, app, campaign, trouble, held=True), now)


def _told(tx: Connection, app: App, campaign: Campaign, trouble: Trouble, *, held: bool) -> Notice:
    """Of each pause an owner is told, of a provider's holds once in a campaign."""
    mailing_list = mailing_lists.get(tx, campaign.mailing_list_id)
    what = f"held {campaign.id} {trouble.provider}" if held else f"paused {campaign.id} {app.clock():%Y%m%dT%H%M%S}"
    return Notice(
        kind=Kind.PAUSED,
        address=mailing_list.owner,
        suppression_key="",  # who answers for a list cannot stop hearing of it
        language=app.language(mailing_list.language),
        mailing_list_id=mailing_list.id,
        values={
            "campaign": campaign.id,
            "subject": campaign.subject,
            "ill": trouble.ill,
            "number": trouble.number,
            "of": trouble.of,
            "provider": trouble.provider,
            "held": held,
        },
        cause=what,
    )
