"""Migrations end in the declared tables, save a copy first, and refuse unknown schemas."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

import mailer.store.backup.reflected_tables  # noqa: F401 - which declares every table
from mailer.errors import DatabaseUnavailable, SchemaUnknown
from mailer.store.backup.reflected_tables import own_tables
from mailer.store.columns import metadata
from mailer.store.database import is_sqlite, open_engine
from mailer.store.migration import check_schema, migrate_database
from tests.support.app_helpers import ROOT

MIGRATIONS = ROOT / "migrations"
ONLY_ON_POSTGRESQL = {"ix_subscriber_address_prefix"}
LATER = """
from alembic import op
import sqlalchemy as sa
revision = "9999"
down_revision = "0009"
def upgrade():
    rebuild = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("mailing_list", recreate=rebuild) as batch:
        batch.add_column(sa.Column("colour", sa.Text()))
"""


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of a later version, which rebuild a table that others point to."""
    folder = Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))
    (folder / "versions" / "9999_colour.py").write_text(LATER)
    return folder


def test_migrations_end_in_the_declared_tables(database_url: str) -> None:
    with open_engine(database_url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})

        differences = [
            one for one in compare_metadata(context, metadata) if not _is_only_on_postgresql(one, connection)
        ]
        names = {table.name for table in own_tables(connection)}

    assert differences == []
    assert names == set(metadata.tables)


def _is_only_on_postgresql(difference: Any, connection: Connection) -> bool:
    return is_sqlite(connection) and difference[0] == "add_index" and difference[1].name in ONLY_ON_POSTGRESQL


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    assert migrate_database(database_url, MIGRATIONS) is None
    check_schema(database_url, MIGRATIONS)


def test_an_older_database_is_refused_by_commands_and_migrated_by_the_service(database_url: str, later: Path) -> None:
    with pytest.raises(SchemaUnknown, match="mailer migrate"):
        check_schema(database_url, later)

    migrate_database(database_url, later)

    check_schema(database_url, later)


def test_a_newer_database_is_refused_by_name(database_url: str, later: Path) -> None:
    migrate_database(database_url, later)

    with pytest.raises(SchemaUnknown, match="9999"):
        check_schema(database_url, MIGRATIONS)
    with pytest.raises(SchemaUnknown, match="9999"):
        migrate_database(database_url, MIGRATIONS)


def test_the_sqlite_file_is_copied_first_and_rebuilding_a_table_loses_nothing(
    sqlite_template: Path, tmp_path: Path, later: Path
) -> None:
    file = Path(shutil.copy(sqlite_template, tmp_path / "mailer.db"))
    with sqlite3.connect(file) as connection:
        connection.execute(
            "INSERT INTO mailing_list (id, name, title, description, language, owner, created_at)"
            " VALUES (1, 'appeals', 'Open Appeals', '', 'en', 'ada@example.org', '2027-01-01')"
        )
        connection.execute(
            "INSERT INTO campaign (mailing_list_id, state, subject, created_at) VALUES (1, 'draft', 's', '2027-01-01')"
        )

    copy = migrate_database(f"sqlite:///{file}", later)

    assert copy is not None
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with sqlite3.connect(copy) as saved, sqlite3.connect(file) as migrated:
        assert saved.execute("SELECT version_num FROM alembic_version").fetchall() == [("0009",)]
        assert saved.execute("SELECT name FROM mailing_list").fetchall() == [("appeals",)]
        assert migrated.execute("SELECT name, colour FROM mailing_list").fetchall() == [("appeals", None)]
        assert migrated.execute("SELECT subject FROM campaign").fetchall() == [("s",)]


def test_a_database_that_cannot_be_opened_is_reported_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot open"):
        migrate_database(f"sqlite:///{tmp_path}/no/such/folder/mailer.db", MIGRATIONS)


def test_a_file_that_is_no_database_is_reported_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "mailer.db"
    file.write_text("something else entirely, and rather more than a header's worth of it " * 20)

    with pytest.raises(DatabaseUnavailable):
        migrate_database(f"sqlite:///{file}", MIGRATIONS)
