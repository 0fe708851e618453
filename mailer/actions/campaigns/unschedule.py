"""Takes back a campaign's hour before it is launched."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import describe_state, load_campaign, record_act
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign, CampaignState, check_move
from mailer.errors import WrongState
from mailer.store import campaigns

_SCHEDULED = (CampaignState.SCHEDULED,)


async def unschedule(app: App, actor: Actor, campaign_id: int) -> Campaign:
    """Make a scheduled campaign a draft again; nobody gets it. Raises NotFound, NotPermitted, WrongState."""

    def work(tx: Connection) -> Campaign:
        campaign = load_campaign(tx, actor, Permission.SEND, campaign_id, lock=True)
        check_move(campaign, CampaignState.DRAFT, allowed=_SCHEDULED)
        nothing = {"scheduled_at": None, "local_time": None, "zone": None}
        if not campaigns.change_state(tx, campaign_id, CampaignState.DRAFT, from_states=_SCHEDULED, **nothing):
            raise WrongState(f"campaign {campaign_id} was just moved by somebody else")
        record_act(tx, app, actor, Act.UNSCHEDULE_CAMPAIGN, campaign, before=describe_state(campaign))
        return campaigns.get(tx, campaign_id)

    return await app.database.write(work)
