"""Back up and restore the database, the spool and the secret."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import structlog

from mailer.bootstrap import resource_folder
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import SITE, Act
from mailer.domain.accounts.role import Permission
from mailer.errors import DatabaseUnavailable
from mailer.settings.load import Settings
from mailer.store.accounts import audit_log
from mailer.store.backup import restore_backup, write_backup
from mailer.store.backup.archive import Manifest
from mailer.store.backup.restore_backup import RestoreResult as RestoreResult
from mailer.store.backup.write_backup import ServiceFiles
from mailer.store.migration import is_newest

_log = structlog.get_logger()


def service_files(settings: Settings) -> ServiceFiles:
    """What a backup holds besides the database."""
    return ServiceFiles(spool=settings.intake.spool, secret_file=settings.service.secret_file)


def back_up(settings: Settings, actor: Actor, file: Path, now: datetime) -> Manifest:
    """Write a backup of one instant into a new file; the service may run meanwhile.

    The audit log has who did it, unless the database takes no more writes: a backup is needed most then. Raises
    AlreadyExists, BackupFailed, SecretUnreadable, SchemaUnknown, DatabaseUnavailable or NotPermitted; then there is no
    file.
    """
    actor.require(Permission.MANAGE_SITE)
    migrations, url = resource_folder("migrations"), settings.database.url
    manifest = write_backup.back_up(url, service_files(settings), migrations, file, now)
    if is_newest(manifest.schema, migrations):
        try:
            audit_log.record_alone(url, actor, Act.BACK_UP, subject=SITE, now=now, after={"at": manifest.at})
        except DatabaseUnavailable as error:
            _log.warning("skipped a line of the audit log", reason=str(error))
    return manifest


def restore(
    settings: Settings, actor: Actor, file: Path, now: datetime, *, replace: bool, migrate: bool
) -> RestoreResult:
    """Restore a backup into the places that the settings name: all of it or nothing.

    `replace` allows it where there is a database already, which is backed up first; `migrate` brings an older backup's
    schema up to date. Raises AlreadyExists, BackupRefused, BackupFailed, SchemaUnknown, DatabaseOwned,
    DatabaseUnavailable or NotPermitted; then the database is as it was.
    """
    actor.require(Permission.MANAGE_SITE)
    return restore_backup.restore_backup(
        settings.database.url,
        service_files(settings),
        resource_folder("migrations"),
        file,
        now,
        replace=replace,
        migrate=migrate,
        record=lambda tx: audit_log.record(tx, actor, Act.RESTORE_BACKUP, subject=SITE, now=now),
    )
