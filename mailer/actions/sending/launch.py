"""At the hour: a due campaign's audience is frozen in chunks, and its sending begins."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.campaign import CampaignState, too_late
from mailer.domain.delivery import DeliveryState
from mailer.store import audience, campaigns, deliveries

_log = structlog.get_logger()

_FIRST_CHUNK, _LARGEST_CHUNK = 500, 20_000
_HOLD_S = 0.02
"""How long a chunk should hold the write lock: well under the 50 ms nobody who leaves may be kept waiting."""


async def launch_due(app: App) -> int:
    """Launch what is due, go on with launches that were interrupted, and park what is too late; how many launched.

    The conditional move to `launching` decides which process fires; a launch goes on from its cursor.
    """
    for due in await app.database.read(campaigns.due, app.clock()):
        await app.database.write(_begin, app, due.id)
    launching = await app.database.read(campaigns.ids_in, CampaignState.LAUNCHING)
    for campaign_id in launching:
        await _freeze_audience(app, campaign_id)
    await _end_what_is_over(app)
    if launching:
        app.bells.campaigns.set()
    return len(launching)


def _begin(tx: Connection, app: App, campaign_id: int) -> None:
    campaign, now = campaigns.get(tx, campaign_id), app.clock()
    if (remark := too_late(campaign, now)) is not None:
        # Parked as a draft with a remark: people decide whether it still makes sense.
        campaigns.move(tx, campaign_id, CampaignState.DRAFT, of=(CampaignState.SCHEDULED,), due_by=now, remark=remark)
        _log.warning("campaign parked", campaign=campaign_id, why=remark)
        return
    campaigns.move(
        tx,
        campaign_id,
        CampaignState.LAUNCHING,
        of=(CampaignState.SCHEDULED,),
        due_by=now,  # it may have been moved to a later hour since we looked
        launched_at=now,
        launch_ceiling=audience.ceiling(tx, campaign.mailing_list_id),
    )


async def _freeze_audience(app: App, campaign_id: int) -> None:
    size = _FIRST_CHUNK
    while not app.bells.closing.is_set():
        more, held_s = await app.database.timed_write(_freeze_chunk, app, campaign_id, size)
        if not more:
            return
        await asyncio.sleep(held_s)  # other processes poll SQLite's lock, and must find it free now and then
        size = max(_FIRST_CHUNK, min(int(size * _HOLD_S / held_s), size * 2, _LARGEST_CHUNK))


def _freeze_chunk(tx: Connection, app: App, campaign_id: int, size: int) -> bool:
    """Write one chunk of deliveries; whether there may be more."""
    campaign = campaigns.get(tx, campaign_id, lock=True)
    if campaign.state is not CampaignState.LAUNCHING:
        return False
    upto = audience.next_cursor(tx, campaign, size)
    if upto is None:
        campaigns.move(tx, campaign_id, CampaignState.SENDING, of=(CampaignState.LAUNCHING,))
        _log.info("campaign launched", campaign=campaign_id, audience=campaign.audience)
        return False
    written = audience.freeze(tx, campaign, upto)
    campaigns.advance_launch(tx, campaign_id, cursor=upto, more=written)
    return True


async def _end_what_is_over(app: App) -> None:
    """What still waits when its campaign is cancelled, or its event has begun, is never sent."""
    for campaign_id, state in await app.database.read(campaigns.over, app.clock()):
        end = DeliveryState.CANCELLED if state is CampaignState.CANCELLED else DeliveryState.EXPIRED
        while await app.database.write(deliveries.end_waiting, campaign_id, end, _FIRST_CHUNK):
            pass
