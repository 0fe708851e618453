"""Check which campaigns the service has paused or not launched, and why."""

from __future__ import annotations

from functools import partial

from mailer.domain.campaign import CampaignState
from mailer.domain.health_check import HealthCheck, warn
from mailer.store import campaigns
from mailer.store.database import Database
from mailer.store.pages import all_items

_REMEDIES = {
    CampaignState.PAUSED: "Once that is put right: mailer campaign resume {id}",
    CampaignState.DRAFT: "If it still makes sense: mailer campaign send {id}",
}


async def check_campaigns(database: Database) -> list[HealthCheck]:
    """One check for each campaign that the service itself paused or returned to draft; none where there is none."""
    pages = all_items(partial(database.read, campaigns.list_page))
    return [
        warn(f"campaign {one.id}", f"{one.state}: {one.remark}", _REMEDIES[one.state].format(id=one.id))
        async for one in pages
        if one.remark and one.state in _REMEDIES
    ]
