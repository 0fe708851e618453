"""Restore a backup: all of it or nothing, into an empty database, with its campaigns paused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from zipfile import ZipFile

from sqlalchemy import Connection, Engine, Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from mailer.errors import AlreadyExists, BackupFailed, BackupRefused, DatabaseOwned, DatabaseUnavailable
from mailer.store.backup.archive import SECRET, SPOOL, Manifest, open_archive, read_rows, write_new_file
from mailer.store.backup.reflected_tables import VERSION_TABLE, advance_sequence, column_kinds, own_tables
from mailer.store.backup.restored_campaigns import (
    PausedCampaigns,
    add_suppressions,
    list_suppressions,
    pause_all_campaigns,
)
from mailer.store.backup.write_backup import ServiceFiles, back_up_beside_spool
from mailer.store.counts.campaign_counts import recount_all
from mailer.store.counts.count_tables import campaign_count
from mailer.store.database import is_sqlite, open_engine
from mailer.store.migration import check_known_revision, is_newest, read_known_revision, unused_path, upgrade
from mailer.store.queue.worker_presence import any_worker_alive
from mailer.store.queue.workers import own_database

_SPOOL_FILE_NAME = re.compile(r"[\w.-]+\.mail", re.ASCII)
_ROWS_PER_CHUNK = 1000
_TRANSIENT_TABLES = {"worker", "claim", "tally", "budget", "hold", "sign_in"}
"""Tables that have rows as soon as a service was started once."""
_TABLES_WITH_TOKENS = ("subscription", "delivery")
"""Tables whose ids are in tokens."""
_ID_GAP = 10**9
"""How many ids to skip: those given after the backup was made are in letters, and must not be given again."""
_LOCK_TIMEOUT = "30s"


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreResult:
    """What a restore did."""

    manifest: Manifest
    standstill: PausedCampaigns
    aside: tuple[Path, ...]
    """Where what was there before is now."""
    suppressions: int
    """How many suppressions were taken over from the database that was replaced."""


def restore_backup(
    url: str,
    service_files: ServiceFiles,
    migrations: Path,
    file: Path,
    now: datetime,
    *,
    replace: bool = False,
    migrate: bool = True,
    record: Callable[[Connection], object] = lambda _: None,
) -> RestoreResult:
    """Restore a backup's database, spool and secret; its schema is then migrated, or left.

    Only into an empty database, unless it should `replace` what is there, which is backed up first; and never while a
    service runs on it. `record` is called in the transaction, if the schema is this version's. Raises
    AlreadyExists, BackupRefused, BackupFailed, SchemaUnknown, DatabaseOwned, DatabaseUnavailable: then the database is
    as before.
    """
    with open_archive(file) as (archive, manifest):
        check_known_revision(manifest.schema, migrations)
        secret = archive.read(SECRET)
        engine = open_engine(url, foreign_keys=False)
        try:
            with own_database(engine):
                aside = _back_up_existing(engine, service_files, migrations, secret, now, replace=replace)
                _place_spool(archive, manifest, service_files.spool)
                with _secret_in_place(service_files.secret_file, secret) as old_secret, _transaction(engine) as tx:
                    known = list_suppressions(tx)
                    _load_tables(tx, archive, manifest, migrations, migrate=migrate)
                    if migrate or is_newest(manifest.schema, migrations):
                        record(tx)
                    still, orders = pause_all_campaigns(tx, manifest.at), add_suppressions(tx, known)
            return RestoreResult(manifest=manifest, standstill=still, aside=(*aside, *old_secret), suppressions=orders)
        except DBAPIError as error:
            raise DatabaseUnavailable(f"the database refuses the backup: {error.orig}") from error
        except OSError as error:
            raise BackupFailed(f"the backup cannot be restored: {error}") from None
        finally:
            engine.dispose()


def _back_up_existing(
    engine: Engine, service_files: ServiceFiles, migrations: Path, secret: bytes, now: datetime, *, replace: bool
) -> list[Path]:
    """Back up what the restore would overwrite; returns the files, none where there is nothing."""
    if read_known_revision(engine, migrations) is None:
        filled = False
    else:
        with engine.connect().execution_options(writing=False) as tx:
            if any_worker_alive(tx):
                raise DatabaseOwned("a `mailer worker` is running on this database")
            filled = any(_has_rows(tx, table) for table in own_tables(tx) if table.name not in _TRANSIENT_TABLES)
    own_secret = service_files.secret_file.read_bytes() if service_files.secret_file.exists() else secret
    taken = [
        *(["the database"] * filled),
        *([f"another secret in {service_files.secret_file}"] * (own_secret != secret)),
    ]
    if taken and not replace:
        raise AlreadyExists(f"there is {' and '.join(taken)} already; nothing was restored (--replace keeps it aside)")
    if not filled:
        return []
    url = engine.url.render_as_string(hide_password=False)
    return [back_up_beside_spool(url, service_files, migrations, "database.before-restore.zip", now)]


def _has_rows(tx: Connection, table: Table) -> bool:
    return tx.execute(select(text("1")).select_from(table).limit(1)).first() is not None


def _load_tables(tx: Connection, archive: ZipFile, manifest: Manifest, migrations: Path, *, migrate: bool) -> None:
    for table in reversed(own_tables(tx)):
        table.drop(tx)
    tx.execute(text(f"DROP TABLE IF EXISTS {VERSION_TABLE}"))
    upgrade(tx, migrations, manifest.schema)
    tables = own_tables(tx)
    if {table.name: column_kinds(table) for table in tables} != {
        name: mark.columns for name, mark in manifest.tables.items()
    }:
        raise BackupRefused(f"its tables are not those of schema {manifest.schema}")
    for table in tables:
        _insert(tx, table, archive, manifest)
    if is_sqlite(tx) and (broken := tx.execute(text("PRAGMA foreign_key_check")).first()):
        raise BackupRefused(f"a row of {broken[0]} refers to one of {broken[2]} that is not there")
    if migrate:
        upgrade(tx, migrations)
    _complete(tx, manifest)


def _complete(tx: Connection, manifest: Manifest) -> None:
    """Count what was counted, and give no id again that was given."""
    tables = own_tables(tx)
    if any(table.name == campaign_count.name for table in tables):
        recount_all(tx)
    for table in tables:
        if mark := manifest.tables.get(table.name):
            advance_sequence(tx, table, mark.last_id + (_ID_GAP if table.name in _TABLES_WITH_TOKENS else 0))


def _insert(tx: Connection, table: Table, archive: ZipFile, manifest: Manifest) -> None:
    mark = manifest.tables[table.name]
    # In the archive's order: another database may have its columns in a different one.
    names = list(mark.columns)
    found = (dict(zip(names, row, strict=True)) for row in read_rows(archive, table.name, mark))
    while some := list(islice(found, _ROWS_PER_CHUNK)):
        tx.execute(insert(table), some)
    count = tx.execute(select(func.count()).select_from(table)).scalar_one()
    if count != mark.rows:
        raise BackupRefused(f"{table.name}: {count} rows are there now, where the backup has {mark.rows}")


def _place_spool(archive: ZipFile, manifest: Manifest, spool: Path) -> None:
    """Write the spool files under the names that rows have for them; the service deletes those that no row names."""
    if not manifest.spool:
        return
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in manifest.spool:
        if not _SPOOL_FILE_NAME.fullmatch(name):
            raise BackupRefused(f"{name!r} is no name of a file in the spool")
        if not (spool / name).exists():
            write_new_file(spool / name, archive.read(SPOOL + name))


@contextmanager
def _secret_in_place(file: Path, secret: bytes) -> Iterator[tuple[Path, ...]]:
    """Put the secret in its place while the block runs, for good if it succeeds; yields where the old one is now."""
    if file.exists() and file.read_bytes() == secret:
        yield ()
        return
    aside = unused_path(file.with_name(f"{file.name}.before-restore")) if file.exists() else None
    if aside is not None:
        file.rename(aside)
    try:
        write_new_file(file, secret)
        yield (aside,) if aside is not None else ()
    except BaseException:
        file.unlink(missing_ok=True)
        if aside is not None:
            aside.rename(file)
        raise


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as tx:
        if not is_sqlite(tx):
            tx.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
            tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield tx
