"""Campaigns as organisers reach them: loaded with a permission, and what was done to them in the audit log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign
from mailer.store import campaigns
from mailer.store.accounts import audit_log


def load_campaign(
    tx: Connection, actor: Actor, permission: Permission, campaign_id: int, *, lock: bool = False
) -> Campaign:
    """The campaign, if the actor has the permission on its list. Raises NotFound, NotPermitted.

    `lock` keeps others from changing its state until we commit.
    """
    campaign = campaigns.get(tx, campaign_id, lock=lock)
    actor.require(permission, campaign.mailing_list_id)
    return campaign


def record_act(
    tx: Connection,
    app: App,
    actor: Actor,
    act: Act,
    campaign: Campaign,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write a line of the audit log about a campaign."""
    audit_log.record(
        tx,
        actor,
        act,
        subject=f"campaign {campaign.id}",
        mailing_list_id=campaign.mailing_list_id,
        before=before,
        after=after,
        now=app.clock(),
    )


def describe_state(campaign: Campaign) -> dict[str, Any]:
    """The campaign's state and hour, as the audit log has them."""
    values = {
        "state": campaign.state.value,
        "local_time": campaign.local_time,
        "zone": campaign.zone,
        "over_s": campaign.over_s,
        "anyway": campaign.anyway_reason or campaign.anyway or None,
        "sent_editions": None if campaign.languages is None else list(campaign.languages),
        "not_mailed_by": campaign.not_mailed_by,
    }
    return {key: value for key, value in values.items() if value is not None}
