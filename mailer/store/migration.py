"""Bringing a database's schema to the one this version works with; the SQLite file is copied aside first."""

from __future__ import annotations

import sqlite3
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


def bring_up_to_date(url: str, migrations: Path) -> Path | None:
    """Migrate the database at `url` to the newest revision in `migrations`.

    Returns where the SQLite file was copied before anything was changed (None: nothing to save). Raises
    SchemaUnknown for a schema from a newer version, DatabaseUnavailable where there is no database.
    """
    engine = open_engine(url, foreign_keys=False)  # batch migrations rebuild tables: with keys on, drops would cascade
    try:
        current = _current(engine)
        newest = _scripts(migrations).get_current_head()
        if current == newest:
            return None
        _check_known(current, migrations)
        copy = _copy_aside(engine, current) if current else None
        with engine.begin() as connection:
            command.upgrade(_config(migrations, connection), "head")
        return copy
    finally:
        engine.dispose()


def check_schema(url: str, migrations: Path) -> None:
    """SchemaUnknown unless the database's schema is exactly ours; an empty one is filled."""
    engine = open_engine(url, foreign_keys=False)
    try:
        current = _current(engine)
    finally:
        engine.dispose()
    if current is None:
        bring_up_to_date(url, migrations)
    elif current != _scripts(migrations).get_current_head():
        _check_known(current, migrations)
        raise SchemaUnknown(f"the database's schema is {current}, older than this version's: run `mailer migrate`")


def schema_is_current(url: str, migrations: Path) -> bool | None:
    """Whether the database has our schema, or an older one (False), or none yet (None); nothing is changed.

    Raises SchemaUnknown and DatabaseUnavailable.
    """
    database = make_url(url).database
    if url.startswith("sqlite") and not (database and Path(database).exists()):
        return None
    engine = open_engine(url, foreign_keys=False)
    try:
        current = _current(engine)
    finally:
        engine.dispose()
    _check_known(current, migrations)
    return None if current is None else current == _scripts(migrations).get_current_head()


def _current(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            if current is None and inspect(connection).has_table("delivery"):
                raise SchemaUnknown("the database has tables of ours but does not say of which version")
            return current
    except DBAPIError as trouble:
        raise DatabaseUnavailable(f"cannot open the database: {trouble.orig}") from None


def _check_known(current: str | None, migrations: Path) -> None:
    known = {script.revision for script in _scripts(migrations).walk_revisions()}
    if current is not None and current not in known:
        raise SchemaUnknown(f"the database's schema is {current}, which this version does not know: is it newer?")


def _copy_aside(engine: Engine, current: str) -> Path | None:
    """Beside the file, named after the schema it has; a copy made before is never overwritten."""
    if not is_sqlite(engine):
        return None
    file = Path(str(engine.url.database))
    copy = file.with_name(f"{file.name}.before-leaving-{current}")
    number = 1
    while copy.exists():
        number += 1
        copy = file.with_name(f"{file.name}.before-leaving-{current}.{number}")
    source, target = sqlite3.connect(file), sqlite3.connect(copy)
    with source, target:
        source.backup(target)
    source.close()
    target.close()
    return copy


def _scripts(migrations: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(migrations))


def _config(migrations: Path, connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
