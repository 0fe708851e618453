"""The keeper asks which campaigns stand still, and why."""

from __future__ import annotations

import asyncio

from mailer.app import resource
from mailer.domain.campaign import CampaignState
from mailer.domain.finding import Finding, warn
from mailer.store import campaigns
from mailer.store.database import Database
from mailer.store.migration import schema_is_current

_MEND = {
    CampaignState.PAUSED: "Once that is mended: mailer campaign resume {id}",
    CampaignState.DRAFT: "If it still makes sense: mailer campaign send {id}",
}


async def check_campaigns(database_url: str) -> list[Finding]:
    """A finding for each campaign that the service itself holds or has parked; none where all go their way.

    None either where the database is empty or of another version, which is a finding of its own.
    """
    if not await asyncio.to_thread(schema_is_current, database_url, resource("migrations")):
        return []
    database = Database(database_url)
    try:
        found = await database.read(campaigns.every)
    finally:
        await database.close()
    return [
        warn(f"campaign {one.id}", f"{one.state}: {one.remark}", _MEND[one.state].format(id=one.id))
        for one in found
        if one.remark and one.state in _MEND
    ]
