"""The keeper asks which campaigns stand still, and why."""

from __future__ import annotations

from mailer.domain.campaign import CampaignState
from mailer.domain.health_check import Finding, warn
from mailer.store import campaigns
from mailer.store.database import Database

_MEND = {
    CampaignState.PAUSED: "Once that is mended: mailer campaign resume {id}",
    CampaignState.DRAFT: "If it still makes sense: mailer campaign send {id}",
}


async def check_campaigns(database: Database) -> list[Finding]:
    """A finding for each campaign that the service itself holds or has parked; none where all go their way."""
    found = await database.read(campaigns.every)
    return [
        warn(f"campaign {one.id}", f"{one.state}: {one.remark}", _MEND[one.state].format(id=one.id))
        for one in found
        if one.remark and one.state in _MEND
    ]
