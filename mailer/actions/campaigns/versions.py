"""Returns the versions of a draft. To go back to one, its text is saved again."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.draft import DraftVersion
from mailer.store.writing import drafts


async def list_versions(app: App, actor: Actor, campaign_id: int, language: str) -> list[DraftVersion]:
    """The newest 200 versions of a draft and its present text, the newest first. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> list[DraftVersion]:
        load_campaign(tx, actor, Permission.READ, campaign_id)
        return drafts.list_versions(tx, drafts.get(tx, campaign_id, language))

    return await app.database.read(work)


async def load_version(app: App, actor: Actor, campaign_id: int, language: str, version: int) -> str:
    """The text of one version. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> str:
        load_campaign(tx, actor, Permission.READ, campaign_id)
        return drafts.load_version(tx, drafts.get(tx, campaign_id, language), version)

    return await app.database.read(work)
