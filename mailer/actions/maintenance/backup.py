"""Back up and restore the database, the spool and the secret."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from mailer.bootstrap import resource_folder
from mailer.settings.load import Settings
from mailer.store.backup import restore_backup, write_backup
from mailer.store.backup.archive import Manifest
from mailer.store.backup.restore_backup import RestoreResult as RestoreResult
from mailer.store.backup.write_backup import ServiceFiles


def service_files(settings: Settings) -> ServiceFiles:
    """What a backup holds besides the database."""
    return ServiceFiles(spool=settings.intake.spool, secret_file=settings.service.secret_file)


def back_up(settings: Settings, file: Path, now: datetime) -> Manifest:
    """Write a backup of one instant into a new file; the service may run meanwhile.

    Raises AlreadyExists, BackupFailed, SecretUnreadable, SchemaUnknown or DatabaseUnavailable; then there is no file.
    """
    migrations = resource_folder("migrations")
    return write_backup.back_up(settings.database.url, service_files(settings), migrations, file, now)


def restore(settings: Settings, file: Path, now: datetime, *, replace: bool, migrate: bool) -> RestoreResult:
    """Restore a backup into the places that the settings name: all of it or nothing.

    `replace` allows it where there is a database already, which is backed up first; `migrate` brings an older backup's
    schema up to date. Raises AlreadyExists, BackupRefused, BackupFailed, SchemaUnknown, DatabaseOwned or
    DatabaseUnavailable; then the database is as it was.
    """
    migrations = resource_folder("migrations")
    return restore_backup.restore_backup(
        settings.database.url, service_files(settings), migrations, file, now, replace=replace, migrate=migrate
    )
