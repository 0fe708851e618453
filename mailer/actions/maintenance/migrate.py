"""Migrate the database's schema to the one of this version."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from mailer.actions.maintenance.backup import service_files
from mailer.bootstrap import resource_folder
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import SITE, Act
from mailer.domain.accounts.role import Permission
from mailer.settings.load import Settings
from mailer.store import mailing_lists, migration
from mailer.store.accounts import audit_log
from mailer.store.backup.write_backup import back_up_before_migration
from mailer.store.database import Database


def check_schema(settings: Settings) -> None:
    """Raise SchemaUnknown unless the database has the schema of this version; an empty database gets it."""
    migration.check_schema(settings.database.url, resource_folder("migrations"))


def migrate_database(settings: Settings, actor: Actor, now: datetime, *, back_up: bool) -> Path | None:
    """Migrate the database; returns the backup that was made before, or None if there was nothing to migrate.

    Raises SchemaUnknown for the schema of a newer version, DatabaseOwned while a service runs, DatabaseUnavailable,
    NotPermitted, and BackupFailed if `back_up` is set and fails.
    """
    actor.require(Permission.MANAGE_SITE)
    migrations = resource_folder("migrations")
    back_up_first = partial(back_up_before_migration, service_files(settings), migrations, now)
    save = back_up_first if back_up else migration.skip_backup

    def record(tx: Connection, before: str) -> None:
        audit_log.record(tx, actor, Act.MIGRATE, subject=SITE, now=now, before={"schema": before})

    return migration.migrate_database(settings.database.url, migrations, save, record)


async def has_lists(settings: Settings) -> bool:
    """Whether the database has a mailing list, or the schema of another version; nothing is changed."""
    current = migration.schema_is_current(settings.database.url, resource_folder("migrations"))
    if not current:
        return current is False
    database = Database(settings.database.url)
    try:
        return bool(await database.read(mailing_lists.list_all))
    finally:
        await database.close()
