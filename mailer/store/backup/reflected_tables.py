"""Our tables as a database has them, at any revision, with values that are the same on each kind of database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Text,
    cast,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.types import UserDefinedType

from mailer.store import people_tables
from mailer.store.accounts import organiser_tables
from mailer.store.columns import UtcDateTime
from mailer.store.counts import count_tables
from mailer.store.database import is_sqlite
from mailer.store.imports import import_tables
from mailer.store.letters import letter_tables
from mailer.store.queue import queue_tables
from mailer.store.writing import draft_tables

_TABLE_MODULES = (
    *(queue_tables, people_tables, organiser_tables, draft_tables),
    *(count_tables, letter_tables, import_tables),
)
_OWN_TABLE_NAMES = {
    table.name for module in _TABLE_MODULES for table in vars(module).values() if isinstance(table, Table)
}
VERSION_TABLE = "alembic_version"
EMPTY_IN_BACKUPS = frozenset({"sign_in", "organiser_session", "campaign_count", "audience_count"})
"""Tables of which a backup has no rows: nobody signs in by a link or a cookie from before it, and what is counted is
counted anew."""


class _JsonText(UserDefinedType[str]):
    """JSON as the database has it, octet for octet, not decoded."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSON"


def own_tables(tx: Connection) -> list[Table]:
    """Those of our tables that exist, parents before children."""
    found = MetaData()

    @event.listens_for(found, "column_reflect")
    def _retype(_inspector: Any, _table: Any, column: dict[str, Any]) -> None:
        if isinstance(column["type"], DateTime):
            column["type"] = UtcDateTime()
        elif isinstance(column["type"], JSON):
            column["type"] = _JsonText()

    found.reflect(tx, only=sorted(_OWN_TABLE_NAMES & set(inspect(tx).get_table_names())))
    return found.sorted_tables


def column_kinds(table: Table) -> dict[str, str]:
    """The kind of each column's values: instant (aware), day, octets, json (as text) or plain."""
    return {column.name: _kind(column) for column in table.columns}


def selectable_column(column: Column[Any]) -> ColumnElement[Any]:
    """The column as a query has to select it."""
    return cast(column, Text) if isinstance(column.type, _JsonText) else column


def _kind(column: Column[Any]) -> str:
    known = ((UtcDateTime, "instant"), (Date, "day"), (LargeBinary, "octets"), (_JsonText, "json"))
    return next((kind for of, kind in known if isinstance(column.type, of)), "plain")


def last_id(tx: Connection, table: Table) -> int:
    """The highest id that was ever given to a row of a table, as far as the database knows; 0 for none."""
    if "id" not in table.columns:
        return 0
    highest = tx.execute(select(func.max(table.c.id))).scalar() or 0
    if not is_sqlite(tx):
        given = text("SELECT pg_sequence_last_value(CAST(:name AS regclass))")
        return max(highest, tx.execute(given, {"name": _sequence(tx, table)}).scalar() or 0)
    if not inspect(tx).has_table("sqlite_sequence"):
        return int(highest)
    given = text("SELECT max(seq) FROM sqlite_sequence WHERE name = :name")
    return max(highest, tx.execute(given, {"name": table.name}).scalar() or 0)


def advance_sequence(tx: Connection, table: Table, number: int) -> None:
    """Give no row of the table an id up to this one any more.

    On SQLite only for a table with AUTOINCREMENT: for others the highest row decides.
    """
    if not number:
        return
    if not is_sqlite(tx):
        tx.execute(
            text("SELECT setval(CAST(:name AS regclass), :number)"), {"name": _sequence(tx, table), "number": number}
        )
    elif "AUTOINCREMENT" in tx.execute(_TABLE_SQL, {"name": table.name}).scalar_one().upper():
        tx.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        tx.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :number)"), {"name": table.name, "number": number})


_TABLE_SQL = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")


def _sequence(tx: Connection, table: Table) -> str:
    found = tx.execute(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name}).scalar_one()
    return str(found)
