"""The keeper asks whether every letter that is not settled waits for something, or lies with a sender."""

from __future__ import annotations

from datetime import datetime

from mailer.domain.delivery import NOTICES
from mailer.domain.health_check import HealthCheck, fail, ok
from mailer.store.database import Database
from mailer.store.queue import orphans

_REMEDY = "`mailer serve` puts them back within an hour and logs an error; please report that."


async def check_deliveries(database: Database, now: datetime) -> list[HealthCheck]:
    """A finding for each campaign with deliveries nobody would ever take; where there are none, one that says so."""
    findings = []
    for campaign_id in await database.read(orphans.list_campaigns_to_check, now):
        if found := (await database.read(orphans.find_orphans, campaign_id)).ids:
            whose = "notices" if campaign_id == NOTICES else f"campaign {campaign_id}"
            told = f"{len(found)} wait for no turn and no hour, and no sender holds them (the first: {found[0]})"
            findings.append(fail(f"deliveries of {whose}", told, _REMEDY))
    return findings or [ok("deliveries", "each that is open waits for its turn or its hour, or lies with a sender")]
