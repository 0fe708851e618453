"""Approves a campaign's texts."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import record_act
from mailer.actions.campaigns.checked_drafts import CheckedDrafts
from mailer.actions.campaigns.drafts import CAN_BE_WRITTEN
from mailer.actions.campaigns.freeze_drafts import freeze_trial, with_checked_drafts
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign, check_state
from mailer.errors import WrongState
from mailer.store.writing import approvals


async def approve(app: App, actor: Actor, campaign_id: int, *, reviewed: str | None = None) -> None:
    """Say that all texts as they are now may be sent. It is void once a text changes, and counts for others only.

    `reviewed` is the digest of the review page; with it, raises WrongState if the texts were changed since. Also
    raises NotFound, NotPermitted, WrongState for a campaign that is over, and CampaignFileRefused if a text has an
    error.
    """

    def work(tx: Connection, campaign: Campaign, checked: CheckedDrafts) -> None:
        check_state(campaign, allowed=CAN_BE_WRITTEN, action="be approved")
        require_reviewed(checked, reviewed)
        for one in checked.loaded.drafts:
            freeze_trial(tx, app, checked, one)
        approvals.add(tx, campaign_id, actor, checked.loaded.digest, app.clock())
        versions = {one.language: one.version for one in checked.loaded.drafts}
        record_act(tx, app, actor, Act.APPROVE_CAMPAIGN, campaign, after={"versions": versions})

    await with_checked_drafts(app, actor, Permission.WRITE, campaign_id, work)


def require_reviewed(checked: CheckedDrafts, reviewed: str | None) -> None:
    """Raise WrongState if the drafts are not those that were reviewed; None: nobody says which were."""
    if reviewed is not None and reviewed != checked.loaded.digest:
        raise WrongState("the texts were changed after you reviewed them; look at them again")
