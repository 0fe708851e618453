"""Check what is in the database: mail, campaigns and deliveries that need attention."""

from __future__ import annotations

import asyncio
from datetime import datetime

from mailer.actions.maintenance.check_campaigns import check_campaigns
from mailer.actions.maintenance.check_deliveries import check_deliveries
from mailer.actions.maintenance.check_mail import check_mail
from mailer.actions.maintenance.check_old_links import check_old_links
from mailer.bootstrap import resource_folder
from mailer.domain.health_check import HealthCheck
from mailer.errors import MailerError
from mailer.settings.load import Settings
from mailer.store.database import Database
from mailer.store.migration import schema_is_current


async def check_database(settings: Settings, now: datetime) -> list[HealthCheck]:
    """The checks of a database with the current schema; none if it cannot be read, which `check_service` reports."""
    try:
        if not await asyncio.to_thread(schema_is_current, settings.database.url, resource_folder("migrations")):
            return []
        database = Database(settings.database.url)
        try:
            checks = await check_old_links(settings, database)
            checks += await check_mail(database, now) + await check_campaigns(database)
            return checks + await check_deliveries(database, now)
        finally:
            await database.close()
    except MailerError:
        return []
