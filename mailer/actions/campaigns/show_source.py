"""Returns the source texts of a campaign."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.store import campaigns, revisions


async def show_source(app: App, campaign_id: int) -> dict[str, str]:
    """The newest text of each edition by language, the default edition first. Raises NotFound."""

    def work(tx: Connection) -> dict[str, str]:
        campaigns.get(tx, campaign_id)
        newest = revisions.newest_by_language(tx, campaign_id)
        return {language: revisions.load_source(tx, number) for language, number in newest.items()}

    return await app.database.read(work)
