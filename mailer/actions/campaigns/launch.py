"""At the hour: a due campaign's audience is frozen in chunks, its letters are tried, and its sending begins."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import Connection

from mailer.actions.delivery.refuse_sample_settings import find_sample_settings
from mailer.actions.delivery.render_letter import LetterRenderer, RenderFailure, needs_check
from mailer.app import App
from mailer.domain.campaign import Campaign, CampaignState, reason_not_to_launch
from mailer.domain.delivery import DeliveryState
from mailer.store import audience, campaigns, mailing_lists, revisions
from mailer.store.queue import deliveries

_log = structlog.get_logger()

_FIRST_CHUNK, _LARGEST_CHUNK = 500, 20_000
_CHECK_CHUNK = 1000
"""Letters tried at a time."""
_TARGET_LOCK_S = 0.02
"""How long a chunk should hold the write lock: well under the 50 ms nobody who leaves may be kept waiting."""


async def launch_due(app: App) -> int:
    """Launch what is due, go on with launches that were interrupted, and park what is too late; how many launched.

    The conditional move to `launching` decides which process fires; a launch goes on from its cursor.
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
        # Parked as a draft with a remark: people decide whether it still makes sense.
        campaigns.change_state(
            tx,
            campaign_id,
            CampaignState.DRAFT,
            from_states=(CampaignState.SCHEDULED,),
            scheduled_by=now,
            remark=remark,
        )
        _log.warning("campaign parked", campaign=campaign_id, why=remark)
        return
    launched = campaigns.change_state(
        tx,
        campaign_id,
        CampaignState.LAUNCHING,
        from_states=(CampaignState.SCHEDULED,),
        scheduled_by=now,  # it may have been moved to a later hour since we looked
        launched_at=now,
        launch_ceiling=audience.highest_subscription_id(tx, campaign.mailing_list_id),
    )
    if launched:
        revisions.freeze_footer(tx, campaign_id, mailing_lists.get(tx, campaign.mailing_list_id))


async def _launch(app: App, campaign_id: int) -> None:
    if (why := find_sample_settings(app)) is not None and await app.database.write(_hold_unfinished, campaign_id, why):
        return
    await _freeze_audience(app, campaign_id)
    campaign = await app.database.read(campaigns.get, campaign_id)
    refused = await _first_render_failure(app, campaign) if campaign.state is CampaignState.LAUNCHING else None
    if not app.wakeups.closing.is_set():
        await app.database.write(_start_sending, campaign, refused)


async def _freeze_audience(app: App, campaign_id: int) -> None:
    size = _FIRST_CHUNK
    while not app.wakeups.closing.is_set():
        more, held_s = await app.database.timed_write(_freeze_chunk, app, campaign_id, size)
        if not more:
            return
        if app.database.has_one_writer:
            await asyncio.sleep(held_s)  # other processes poll SQLite's lock, and must find it free now and then
            size = max(_FIRST_CHUNK, min(int(size * _TARGET_LOCK_S / held_s), size * 2, _LARGEST_CHUNK))
        else:
            size = _LARGEST_CHUNK


def _freeze_chunk(tx: Connection, app: App, campaign_id: int, size: int) -> bool:
    """Write one chunk of deliveries; whether there may be more."""
    campaign = campaigns.get(tx, campaign_id, lock=True)
    if campaign.state is not CampaignState.LAUNCHING:
        return False
    upto = audience.next_launch_cursor(tx, campaign, size)
    if upto is None:
        launching, cursor = CampaignState.LAUNCHING, campaign.launch_cursor
        campaigns.change_state(tx, campaign_id, launching, from_states=(launching,), launch_ceiling=cursor)
        return False
    written = audience.freeze_audience(tx, campaign, upto)
    campaigns.advance_launch(tx, campaign_id, cursor=upto, more=written)
    return True


async def _first_render_failure(app: App, campaign: Campaign) -> RenderFailure | None:
    """The first recipient whose values keep their letter from being written; None where nobody's do."""
    if not await app.database.read(needs_check, campaign.id):
        return None
    writer, after = LetterRenderer(app), 0
    while not app.wakeups.closing.is_set():
        some = await app.database.read(deliveries.list_waiting, campaign.id, after, _CHECK_CHUNK)
        if not some:
            return None
        if (refused := await writer.check_many(some, app.clock())) is not None:
            return refused
        after = some[-1].subscription_id or 0
    return None


def _start_sending(tx: Connection, checked: Campaign, refused: RenderFailure | None) -> None:
    """Let a campaign be sent, or hold it where somebody's letter cannot be written."""
    campaign = campaigns.get(tx, checked.id, lock=True)
    if not campaign.is_frozen or campaign.corrections != checked.corrections:
        return  # it was paused meanwhile, perhaps corrected too, and resumed: the next launch goes on
    if refused is None:
        if campaigns.change_state(tx, campaign.id, CampaignState.SENDING, from_states=(CampaignState.LAUNCHING,)):
            _log.info("started campaign", campaign=campaign.id, audience=campaign.audience)
        return
    remark = f"cannot be written for {refused.delivery.address}: {refused.reason}"
    if campaigns.change_state(
        tx, campaign.id, CampaignState.PAUSED, from_states=(CampaignState.LAUNCHING,), remark=remark
    ):
        _log.warning("campaign held", campaign=campaign.id, why=remark)


def _hold_unfinished(tx: Connection, campaign_id: int, why: str) -> bool:
    """Hold a campaign that would leave with sample settings; not one that goes anyway. Whether it is held."""
    if campaigns.get(tx, campaign_id, lock=True).anyway:
        return False
    remark = (
        f"not sent: [service] in settings.toml: {why}. Mend that, start `mailer serve` anew (settings are read at "
        f"start), then `mailer campaign resume {campaign_id}`; or resume it with --anyway"
    )
    if campaigns.change_state(
        tx, campaign_id, CampaignState.PAUSED, from_states=(CampaignState.LAUNCHING,), remark=remark
    ):
        _log.warning("campaign held", campaign=campaign_id, why=remark)
    return True


async def _end_waiting_deliveries(app: App) -> None:
    """What still waits when its campaign is cancelled, or its event has begun, is never sent."""
    for campaign_id, state in await app.database.read(campaigns.list_over_with_waiting, app.clock()):
        end = DeliveryState.CANCELLED if state is CampaignState.CANCELLED else DeliveryState.EXPIRED
        while await app.database.write(deliveries.end_waiting, campaign_id, end, _FIRST_CHUNK):
            pass
