"""Check that every open delivery waits in the queue or is claimed by a worker."""

from __future__ import annotations

from datetime import datetime

from mailer.domain.delivery import NOTICES
from mailer.domain.health_check import HealthCheck, fail, ok
from mailer.store.database import Database
from mailer.store.queue import orphans

_REMEDY = "`mailer serve` puts them back within an hour and logs an error; please report that."


async def check_deliveries(database: Database, now: datetime) -> list[HealthCheck]:
    """One failed check for each campaign with orphaned deliveries; where there are none, one check that passed."""
    checks = []
    for campaign_id in await database.read(orphans.list_campaigns_to_check, now):
        if orphan_ids := (await database.read(orphans.find_orphans, campaign_id)).ids:
            name = "notices" if campaign_id == NOTICES else f"campaign {campaign_id}"
            message = f"{len(orphan_ids)} are neither in the queue nor claimed by a worker (the first: {orphan_ids[0]})"
            checks.append(fail(f"deliveries of {name}", message, _REMEDY))
    return checks or [ok("deliveries", "every open one is in the queue or claimed by a worker")]
