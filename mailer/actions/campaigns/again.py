"""Makes a campaign like an earlier one."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign, record_act
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.store import campaigns
from mailer.store.writing import drafts

_A_WEEK = timedelta(days=7)


async def again(app: App, actor: Actor, campaign_id: int) -> int:
    """Store a draft for the same list with the same texts, that suggests the same hour a week later; returns its id.

    Raises NotFound, NotPermitted.
    """

    def work(tx: Connection) -> int:
        earlier, now = load_campaign(tx, actor, Permission.WRITE, campaign_id), app.clock()
        number = campaigns.add(
            tx,
            mailing_list_id=earlier.mailing_list_id,
            subject=earlier.subject,
            event_starts_at=None,
            now=now,
            when_uncertain=earlier.when_uncertain,
        )
        copy_drafts(tx, campaign_id, number, actor.name, now)
        if earlier.local_time and earlier.zone:
            campaigns.suggest_time(tx, number, _a_week_later(earlier.local_time), earlier.zone)
        made = campaigns.get(tx, number)
        record_act(tx, app, actor, Act.ADD_CAMPAIGN, made, after={"like": f"campaign {campaign_id}"})
        return number

    return await app.database.write(work)


def copy_drafts(tx: Connection, from_id: int, to_id: int, by: str, now: datetime) -> None:
    """Give a campaign without editions the texts of another; what is out of date there is so here."""
    for one in drafts.list_drafts(tx, from_id):
        edition_id = drafts.add_edition(
            tx,
            campaign_id=to_id,
            language=one.language,
            is_default=one.is_default,
            text=one.text,
            by=by,
            now=now,
        )
        if one.source_digest is not None:
            drafts.set_source_digest(tx, edition_id, one.source_digest)


def _a_week_later(local_time: str) -> str:
    return (datetime.fromisoformat(local_time) + _A_WEEK).isoformat(timespec="seconds")
