"""Pauses, resumes and cancels campaigns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import describe_state, load_campaign, record_act
from mailer.actions.delivery.needs_check import needs_check
from mailer.actions.delivery.refuse_sample_settings import find_sample_settings
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import CAN_BE_PAUSED, Campaign, CampaignState, check_move, check_reason
from mailer.errors import SettingsUnfinished
from mailer.store import campaigns, governor_counts


async def pause(app: App, actor: Actor, campaign_id: int) -> Campaign:
    """Hand no more of its letters until it is resumed; handed ones still arrive.

    Raises NotFound, WrongState, NotPermitted.
    """
    return await _move(app, actor, campaign_id, Act.PAUSE_CAMPAIGN, CampaignState.PAUSED, CAN_BE_PAUSED)


async def resume(app: App, actor: Actor, campaign_id: int, *, anyway: str | None = None) -> Campaign:
    """Continue a paused campaign; it is launched again if its launch was not finished or its letters must be checked.

    The governor counts anew, so earlier failures do not pause it again. With `anyway`, a reason, it goes although the
    check at the launch was against it. Raises NotFound, WrongState, NotPermitted, and SettingsUnfinished as `schedule`
    does.
    """
    why, reason = find_sample_settings(app), check_reason(anyway)

    def work(tx: Connection) -> Campaign:
        campaign = load_campaign(tx, actor, Permission.SEND, campaign_id, lock=True)
        check_move(campaign, CampaignState.SENDING, allowed=(CampaignState.PAUSED,))
        goes = reason is not None or campaign.anyway
        if why is not None and not goes:
            raise SettingsUnfinished(f"[service] in settings.toml: {why}. Mend that first, or say --anyway REASON")
        ready = campaign.is_frozen and campaign.checked_at is not None and not needs_check(tx, campaign_id)
        to = CampaignState.SENDING if ready else CampaignState.LAUNCHING
        values: dict[str, Any] = {"anyway": goes, "anyway_reason": reason or campaign.anyway_reason}
        campaigns.change_state(tx, campaign_id, to, from_states=(CampaignState.PAUSED,), remark=None, **values)
        governor_counts.reset_counts(tx, campaign_id, app.clock())
        resumed = campaigns.get(tx, campaign_id)
        _record_move(tx, app, actor, Act.RESUME_CAMPAIGN, campaign, resumed)
        return resumed

    return await app.database.write(work)


async def cancel(app: App, actor: Actor, campaign_id: int) -> Campaign:
    """Hand no more of its letters, ever; the service marks waiting ones as cancelled.

    Raises NotFound, WrongState, NotPermitted.
    """
    ended = (CampaignState.SENT, CampaignState.CANCELLED)
    allowed = tuple(state for state in CampaignState if state not in ended)
    return await _move(app, actor, campaign_id, Act.CANCEL_CAMPAIGN, CampaignState.CANCELLED, allowed)


async def _move(
    app: App, actor: Actor, campaign_id: int, act: Act, to: CampaignState, allowed: tuple[CampaignState, ...]
) -> Campaign:
    def work(tx: Connection) -> Campaign:
        # The lock waits for a gate that is passing letters: when this returns, none passes any more.
        campaign = load_campaign(tx, actor, Permission.SEND, campaign_id, lock=True)
        check_move(campaign, to, allowed=allowed)
        stopped = {"stopped_at": app.clock()} if to is CampaignState.PAUSED else {}
        campaigns.change_state(tx, campaign_id, to, from_states=allowed, remark=None, **stopped)
        moved = campaigns.get(tx, campaign_id)
        _record_move(tx, app, actor, act, campaign, moved)
        return moved

    return await app.database.write(work)


def _record_move(tx: Connection, app: App, actor: Actor, act: Act, before: Campaign, after: Campaign) -> None:
    record_act(tx, app, actor, act, after, before=describe_state(before), after=describe_state(after))
