"""Launches due campaigns: freezes the audience in chunks, checks the letters, and starts sending."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog
from sqlalchemy import Connection

from mailer.actions.campaigns.preflight.check_launch import find_obstacle
from mailer.actions.delivery.letter_making import describe_making
from mailer.actions.delivery.refuse_sample_settings import find_sample_settings
from mailer.app import App
from mailer.domain.campaign import Campaign, CampaignState, reason_not_to_launch
from mailer.domain.delivery import DeliveryState
from mailer.store import audience, campaigns, mailing_lists, revisions
from mailer.store.queue import deliveries

_log = structlog.get_logger()

_FIRST_CHUNK, _LARGEST_CHUNK = 500, 20_000
_TARGET_LOCK_S = 0.02
"""How long a chunk should hold the write lock: well under the 50 ms that an unsubscribe request may wait."""


async def launch_due(app: App) -> int:
    """Launch due campaigns and continue interrupted launches; returns how many were launched.

    A campaign that is too late becomes a draft again. The conditional update to `launching` decides which process
    launches; an interrupted launch continues from its cursor.
    """
    for due in await app.database.read(campaigns.list_due, app.clock()):
        await app.database.write(_begin_launch, app, due.id)
    launching = await app.database.read(campaigns.ids_in_states, CampaignState.LAUNCHING)
    for campaign_id in launching:
        await _launch(app, campaign_id)
    await _end_waiting_deliveries(app)
    return len(launching)


def _begin_launch(tx: Connection, app: App, campaign_id: int) -> None:
    campaign, now = campaigns.get(tx, campaign_id), app.clock()
    if (remark := reason_not_to_launch(campaign, now)) is not None:
        # A draft again, with a remark: people decide whether it still makes sense.
        campaigns.change_state(
            tx,
            campaign_id,
            CampaignState.DRAFT,
            from_states=(CampaignState.SCHEDULED,),
            scheduled_by=now,
            remark=remark,
            stopped_at=now,
        )
        _log.warning("skipped launch", campaign=campaign_id, reason=remark)
        return
    if any(not one.has_whole_audience for one in audience.campaigns_before(tx, campaign)):
        return  # whom those write to is not known yet: a second later it may be
    launched = campaigns.change_state(
        tx,
        campaign_id,
        CampaignState.LAUNCHING,
        from_states=(CampaignState.SCHEDULED,),
        scheduled_by=now,  # it may have been rescheduled meanwhile
        launched_at=now,
        launch_ceiling=audience.highest_subscription_id(tx, campaign.mailing_list_id),
    )
    if launched:
        of_list = mailing_lists.get(tx, campaign.mailing_list_id)
        revisions.freeze_design(tx, campaign_id, of_list, describe_making(app))


async def _launch(app: App, campaign_id: int) -> None:
    if (why := find_sample_settings(app)) is not None and await app.database.write(
        _hold_unfinished, campaign_id, why, app.clock()
    ):
        return
    await _freeze_audience(app, campaign_id)
    campaign = await app.database.read(campaigns.get, campaign_id)
    obstacle = await find_obstacle(app, campaign) if campaign.state is CampaignState.LAUNCHING else None
    if not app.wakeups.closing.is_set():
        await app.database.write(_start_sending, campaign, obstacle, app.clock())


async def _freeze_audience(app: App, campaign_id: int) -> None:
    size = _FIRST_CHUNK
    while not app.wakeups.closing.is_set():
        more, held_s = await app.database.timed_write(_freeze_chunk, app, campaign_id, size)
        if not more:
            return
        if app.database.has_one_writer:
            await asyncio.sleep(held_s)  # other processes poll SQLite's lock and must find it free now and then
            size = max(_FIRST_CHUNK, min(int(size * _TARGET_LOCK_S / held_s), size * 2, _LARGEST_CHUNK))
        else:
            size = _LARGEST_CHUNK


def _freeze_chunk(tx: Connection, app: App, campaign_id: int, size: int) -> bool:
    """Write one chunk of deliveries; returns whether there may be more."""
    campaign = campaigns.get(tx, campaign_id, lock=True)
    if campaign.state is not CampaignState.LAUNCHING:
        return False
    upto = audience.next_launch_cursor(tx, campaign, size)
    if upto is None:
        launching, cursor = CampaignState.LAUNCHING, campaign.launch_cursor
        campaigns.change_state(tx, campaign_id, launching, from_states=(launching,), launch_ceiling=cursor)
        return False
    added = audience.freeze_audience(tx, campaign, upto)
    campaigns.advance_launch(tx, campaign_id, cursor=upto, more=added)
    return True


def _start_sending(tx: Connection, checked: Campaign, obstacle: str | None, now: datetime) -> None:
    """Start sending a checked campaign, or pause it if there is an obstacle."""
    campaign, launching = campaigns.get(tx, checked.id, lock=True), (CampaignState.LAUNCHING,)
    if not campaign.is_frozen or campaign.corrections != checked.corrections:
        return  # it was paused and resumed meanwhile, perhaps corrected too: the next launch continues
    if obstacle is None:
        if campaigns.change_state(tx, campaign.id, CampaignState.SENDING, from_states=launching, checked_at=now):
            _log.info("started campaign", campaign=campaign.id, audience=campaign.audience)
        return
    if campaigns.change_state(
        tx, campaign.id, CampaignState.PAUSED, from_states=launching, remark=obstacle, stopped_at=now
    ):
        _log.warning("stopped campaign", campaign=campaign.id, reason=obstacle)


def _hold_unfinished(tx: Connection, campaign_id: int, why: str, now: datetime) -> bool:
    """Pause a campaign instead of sending it with sample settings, unless it is to go anyway; whether it is paused."""
    if campaigns.get(tx, campaign_id, lock=True).anyway:
        return False
    remark = (
        f"not sent: [service] in settings.toml: {why}. Mend that, start `mailer serve` anew (settings are read at "
        f"start), then `mailer campaign resume {campaign_id}`; or resume it with --anyway REASON"
    )
    launching = (CampaignState.LAUNCHING,)
    if campaigns.change_state(
        tx, campaign_id, CampaignState.PAUSED, from_states=launching, remark=remark, stopped_at=now
    ):
        _log.warning("stopped campaign", campaign=campaign_id, reason=remark)
    return True


async def _end_waiting_deliveries(app: App) -> None:
    """End waiting deliveries of campaigns that are cancelled or whose event has begun."""
    for campaign_id, state in await app.database.read(campaigns.list_over_with_waiting, app.clock()):
        end = DeliveryState.CANCELLED if state is CampaignState.CANCELLED else DeliveryState.EXPIRED
        while await app.database.write(deliveries.end_waiting, campaign_id, end, _FIRST_CHUNK):
            pass
