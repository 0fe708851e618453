"""An organiser holds a campaign, lets it go on, or calls it off."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.campaign import Campaign, CampaignState, check_move
from mailer.store import campaigns


async def pause(app: App, campaign_id: int) -> Campaign:
    """Hand nothing more of it until it is resumed; letters on their way arrive. NotFound, WrongState."""
    return await _move(app, campaign_id, CampaignState.PAUSED, (CampaignState.SENDING,))


async def resume(app: App, campaign_id: int) -> Campaign:
    """Go on with a paused campaign. NotFound, WrongState."""
    return await _move(app, campaign_id, CampaignState.SENDING, (CampaignState.PAUSED,))


async def cancel(app: App, campaign_id: int) -> Campaign:
    """Never hand another of its letters; what waits is marked as cancelled by the service. NotFound, WrongState."""
    ended = (CampaignState.SENT, CampaignState.CANCELLED)
    return await _move(
        app, campaign_id, CampaignState.CANCELLED, tuple(state for state in CampaignState if state not in ended)
    )


async def _move(app: App, campaign_id: int, to: CampaignState, allowed: tuple[CampaignState, ...]) -> Campaign:
    def work(tx: Connection) -> Campaign:
        check_move(campaigns.get(tx, campaign_id), to, allowed=allowed)
        campaigns.move(tx, campaign_id, to, of=allowed, remark=None)
        return campaigns.get(tx, campaign_id)

    moved = await app.database.write(work)
    app.bells.ring()
    return moved
