"""Migrations: bring a database's schema to this version's; a SQLite file is copied first."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from mailer.errors import DatabaseUnavailable, SchemaUnknown
from mailer.store.database import is_sqlite, open_engine
from mailer.store.database_files import create_private_file
from mailer.store.queue.workers import own_database


def copy_sqlite_file(engine: Engine, current: str) -> Path | None:
    """Copy a SQLite file beside itself, named after its schema; None for PostgreSQL."""
    if not is_sqlite(engine):
        return None
    file = Path(str(engine.url.database))
    copy = unused_path(file.with_name(f"{file.name}.before-leaving-{current}"))
    create_private_file(copy)
    source, target = sqlite3.connect(file), sqlite3.connect(copy)
    with source, target:
        source.backup(target)
    source.close()
    target.close()
    return copy


def skip_backup(_engine: Engine, _current: str) -> None:
    """Migrate without a copy."""


def migrate_database(
    url: str,
    migrations: Path,
    back_up: Callable[[Engine, str], Path | None] = copy_sqlite_file,
    record: Callable[[Connection, str], object] = lambda _tx, _before: None,
) -> Path | None:
    """Migrate the database at `url` to the newest revision in `migrations`.

    `back_up` is called with the present revision before anything is changed; returns where it saved the copy (None: no
    copy). `record` is called with that revision in the transaction that migrates, unless there was none. Raises
    SchemaUnknown for a schema from a newer version, DatabaseOwned while a service runs on it, DatabaseUnavailable where
    there is no database.
    """
    engine = open_engine(url, foreign_keys=False)  # batch migrations rebuild tables: with keys on, drops would cascade
    try:
        current = read_known_revision(engine, migrations)
        if current == _script_directory(migrations).get_current_head():
            return None
        with own_database(engine):
            saved = back_up(engine, current) if current else None
            with engine.begin() as connection:
                upgrade(connection, migrations)
                if current:
                    record(connection, current)
        return saved
    finally:
        engine.dispose()


def upgrade(connection: Connection, migrations: Path, to: str = "head") -> None:
    """Migrate to a revision in the connection's transaction; on SQLite foreign keys must be off."""
    command.upgrade(_config(migrations, connection), to)


def read_known_revision(engine: Engine, migrations: Path) -> str | None:
    """The revision of a database's schema; None where it has no tables of ours.

    Raises SchemaUnknown or DatabaseUnavailable.
    """
    current = _read_revision(engine)
    check_known_revision(current, migrations)
    return current


def unused_path(file: Path) -> Path:
    """`file`, with a number after its name where it exists."""
    number, found = 1, file
    while found.exists():
        number += 1
        found = file.with_name(f"{file.name}.{number}")
    return found


def check_schema(url: str, migrations: Path) -> None:
    """Raise SchemaUnknown unless the database's schema is this version's; an empty database is migrated."""
    engine = open_engine(url, foreign_keys=False)
    try:
        current = _read_revision(engine)
    finally:
        engine.dispose()
    if current is None:
        migrate_database(url, migrations)
    elif current != _script_directory(migrations).get_current_head():
        check_known_revision(current, migrations)
        raise SchemaUnknown(f"the database's schema is {current}, older than this version's: run `mailer migrate`")


def schema_is_current(url: str, migrations: Path) -> bool | None:
    """Whether the database has this version's schema (True), an older one (False) or none (None); changes nothing.

    Raises SchemaUnknown and DatabaseUnavailable.
    """
    database = make_url(url).database
    if url.startswith("sqlite") and not (database and Path(database).exists()):
        return None
    engine = open_engine(url, foreign_keys=False)
    try:
        current = read_known_revision(engine, migrations)
    finally:
        engine.dispose()
    return None if current is None else current == _script_directory(migrations).get_current_head()


def _read_revision(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            if current is None and inspect(connection).has_table("delivery"):
                raise SchemaUnknown("the database has tables of ours but does not say of which version")
            return current
    except DBAPIError as error:
        raise DatabaseUnavailable(f"cannot open the database: {error.orig}") from None


def check_known_revision(current: str | None, migrations: Path) -> None:
    """Raise SchemaUnknown for a revision that is not among ours."""
    known = {script.revision for script in _script_directory(migrations).walk_revisions()}
    if current is not None and current not in known:
        raise SchemaUnknown(f"the database's schema is {current}, which this version does not know: is it newer?")


def is_newest(revision: str, migrations: Path) -> bool:
    """Whether this is the revision of this version's schema."""
    return revision == _script_directory(migrations).get_current_head()


def _script_directory(migrations: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(migrations))


def _config(migrations: Path, connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
