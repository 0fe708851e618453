"""Write a backup of the running service: one snapshot of all tables, the spool and the secret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

from sqlalchemy import Connection, Engine, Table, false, select, text
from sqlalchemy.exc import DBAPIError

from mailer import __version__
from mailer.errors import BackupFailed, DatabaseUnavailable, SchemaUnknown, SecretUnreadable
from mailer.store.backup.archive import (
    SECRET,
    SPOOL,
    Manifest,
    TableManifest,
    encode_row,
    member_name,
    new_archive,
    write_manifest,
)
from mailer.store.backup.reflected_tables import (
    EMPTY_IN_BACKUPS,
    column_kinds,
    last_id,
    own_tables,
    selectable_column,
)
from mailer.store.database import is_sqlite, open_engine
from mailer.store.migration import copy_sqlite_file, read_known_revision, schema_is_current, unused_path

_TRIES = 20
_ROWS_PER_CHUNK = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceFiles:
    """The service's files besides its database; a backup has them, too."""

    spool: Path
    secret_file: Path


def back_up(url: str, service_files: ServiceFiles, migrations: Path, file: Path, now: datetime) -> Manifest:
    """Write a complete backup into a new `file`, as of one instant, without blocking writers.

    The file exists only once it is complete. Raises AlreadyExists, BackupFailed, SecretUnreadable, SchemaUnknown,
    DatabaseUnavailable.
    """
    if schema_is_current(url, migrations) is None:
        raise SchemaUnknown("there is nothing to back up: the database has no tables of ours")
    engine = open_engine(url)
    try:
        schema = read_known_revision(engine, migrations) or ""
        return _write_with_retries(engine, service_files, schema, file, now)
    except DBAPIError as error:
        raise DatabaseUnavailable(f"the database is unavailable: {error.orig}") from error
    finally:
        engine.dispose()


class _SpoolFilesGone(Exception):
    """Files that rows of the snapshot name are missing in the spool."""

    def __init__(self, gone: set[str]) -> None:
        self.gone = gone
        super().__init__()


def _write_with_retries(
    engine: Engine, service_files: ServiceFiles, schema: str, file: Path, now: datetime
) -> Manifest:
    lost: set[str] = set()
    for _ in range(_TRIES):
        try:
            with new_archive(file) as archive, _snapshot(engine) as tx:
                return _write_contents(tx, archive, service_files, schema, now, lost)
        except _SpoolFilesGone as moved:
            # Their mails were processed meanwhile, and another snapshot does not name them; if it does, they are lost.
            lost |= moved.gone
    raise BackupFailed(f"{file}: mails in {service_files.spool} went faster than they could be copied; try again")


def _write_contents(
    tx: Connection, archive: ZipFile, service_files: ServiceFiles, schema: str, now: datetime, lost: set[str]
) -> Manifest:
    tables = own_tables(tx)
    there, gone = _add_spool(tx, tables, service_files.spool, archive)
    if gone - lost:
        raise _SpoolFilesGone(gone)
    archive.writestr(SECRET, _read_secret(service_files.secret_file))
    manifest = Manifest(
        version=__version__,
        schema=schema,
        at=now.isoformat(timespec="seconds"),
        tables={table.name: _add_table(tx, table, archive) for table in tables},
        spool=tuple(there),
        missing=tuple(sorted(gone)),
    )
    write_manifest(archive, manifest)
    return manifest


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one instant and blocks no writer."""
    options = {"writing": False} if is_sqlite(engine) else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**options) as tx:
        if not is_sqlite(tx):
            tx.execute(text("SET TRANSACTION READ ONLY"))
            # A slow disk must not end it.
            tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield tx


def _add_table(tx: Connection, table: Table, archive: ZipFile) -> TableManifest:
    columns, count = column_kinds(table), 0
    query = select(*(selectable_column(column).label(f"c{place}") for place, column in enumerate(table.columns)))
    if table.name in EMPTY_IN_BACKUPS:
        query = query.where(false())
    order = list(table.primary_key.columns) or list(table.columns)
    found = tx.execute(query.order_by(*order).execution_options(yield_per=_ROWS_PER_CHUNK))
    with archive.open(member_name(table.name), "w", force_zip64=True) as out:
        for some in found.partitions():
            out.write("".join([encode_row(list(columns.values()), tuple(row)) for row in some]).encode())
            count += len(some)
    return TableManifest(columns=columns, rows=count, last_id=last_id(tx, table))


def _add_spool(tx: Connection, tables: Sequence[Table], spool: Path, archive: ZipFile) -> tuple[list[str], set[str]]:
    """The spool files that rows name: those that are in the archive now, and those that are missing."""
    incoming = next((table for table in tables if table.name == "incoming" and "spooled" in table.columns), None)
    if incoming is None:
        return [], set()
    named = tx.execute(select(incoming.c.spooled).where(incoming.c.spooled.is_not(None))).scalars().all()
    there, gone = list[str](), set[str]()
    for name in named:
        try:
            archive.write(spool / name, SPOOL + name)
            there.append(name)
        except FileNotFoundError:
            gone.add(name)
    return there, gone


def back_up_beside_spool(url: str, service_files: ServiceFiles, migrations: Path, name: str, now: datetime) -> Path:
    """Write a backup beside the spool, called `name` or a name not used yet; returns its path. Raises as `back_up`."""
    file = unused_path(service_files.spool.absolute().with_name(name))
    back_up(url, service_files, migrations, file, now)
    return file


def back_up_before_migration(
    service_files: ServiceFiles, migrations: Path, now: datetime, engine: Engine, current: str
) -> Path | None:
    """Save the database before a migration: copy a SQLite file, back up a PostgreSQL database."""
    if is_sqlite(engine):
        return copy_sqlite_file(engine, current)
    url, name = engine.url.render_as_string(hide_password=False), f"database.before-leaving-{current}.zip"
    try:
        return back_up_beside_spool(url, service_files, migrations, name, now)
    except (BackupFailed, SecretUnreadable) as error:
        raise BackupFailed(
            f"{error}; nothing was migrated. Take a dump of your own, then `mailer migrate --no-backup`"
        ) from None


def _read_secret(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        reason = f"{file} cannot be read ({error.strerror}), and without it no link of a restored service works"
        raise SecretUnreadable(f"secret: {reason}") from None
