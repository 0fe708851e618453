"""Returns the source texts of a campaign."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.store.writing import drafts


async def show_source(app: App, actor: Actor, campaign_id: int) -> dict[str, str]:
    """The text of each draft by language, the default edition first. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> dict[str, str]:
        load_campaign(tx, actor, Permission.READ, campaign_id)
        return {one.language: one.text for one in drafts.list_drafts(tx, campaign_id)}

    return await app.database.read(work)
