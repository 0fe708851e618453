"""Pauses, resumes and cancels campaigns."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.delivery.refuse_sample_settings import find_sample_settings
from mailer.actions.delivery.render_letter import needs_check
from mailer.app import App
from mailer.domain.campaign import CAN_BE_PAUSED, Campaign, CampaignState, check_move
from mailer.errors import SettingsUnfinished
from mailer.store import campaigns, governor_counts


async def pause(app: App, campaign_id: int) -> Campaign:
    """Hand no more of its letters until it is resumed; handed ones still arrive. Raises NotFound, WrongState."""
    return await _move(app, campaign_id, CampaignState.PAUSED, CAN_BE_PAUSED)


async def resume(app: App, campaign_id: int, *, anyway: bool = False) -> Campaign:
    """Continue a paused campaign; it is launched again if its launch was not finished or its letters must be checked.

    The governor counts anew, so earlier failures do not pause it again. Raises NotFound, WrongState, and
    SettingsUnfinished as `schedule` does.
    """
    why = find_sample_settings(app)

    def work(tx: Connection) -> Campaign:
        campaign = campaigns.get(tx, campaign_id, lock=True)
        check_move(campaign, CampaignState.SENDING, allowed=(CampaignState.PAUSED,))
        goes = anyway or campaign.anyway
        if why is not None and not goes:
            raise SettingsUnfinished(f"[service] in settings.toml: {why}. Mend that first, or say --anyway")
        ready = campaign.is_frozen and not needs_check(tx, campaign_id)
        to = CampaignState.SENDING if ready else CampaignState.LAUNCHING
        campaigns.change_state(tx, campaign_id, to, from_states=(CampaignState.PAUSED,), remark=None, anyway=goes)
        governor_counts.reset_counts(tx, campaign_id, app.clock())
        return campaigns.get(tx, campaign_id)

    return await app.database.write(work)


async def cancel(app: App, campaign_id: int) -> Campaign:
    """Hand no more of its letters, ever; the service marks waiting ones as cancelled. Raises NotFound, WrongState."""
    ended = (CampaignState.SENT, CampaignState.CANCELLED)
    return await _move(
        app, campaign_id, CampaignState.CANCELLED, tuple(state for state in CampaignState if state not in ended)
    )


async def _move(app: App, campaign_id: int, to: CampaignState, allowed: tuple[CampaignState, ...]) -> Campaign:
    def work(tx: Connection) -> Campaign:
        # The lock waits for a gate that is passing letters: when this returns, none passes any more.
        check_move(campaigns.get(tx, campaign_id, lock=True), to, allowed=allowed)
        campaigns.change_state(tx, campaign_id, to, from_states=allowed, remark=None)
        return campaigns.get(tx, campaign_id)

    return await app.database.write(work)
