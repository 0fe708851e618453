"""The statements that write many imported people: each takes all rows of one table as one JSON text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Table, Update, bindparam, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from mailer.store.bulk_rows import CompiledStatement, rows_from_json, rows_to_json
from mailer.store.imports.import_tables import import_change
from mailer.store.people_tables import consent, subscriber, subscription, suppression


def run_rows(tx: Connection, statement: CompiledStatement, rows: Sequence[Sequence[Any]], **values: Any) -> int:
    """Execute a statement for all rows, unless there are none; returns how many rows it wrote."""
    return statement.run(tx, rows=rows_to_json(tx.dialect, rows), **values).rowcount if rows else 0


def _insert_statement(table: Table, names: Sequence[str]) -> CompiledStatement:
    """INSERT of rows with these columns, where there is no such row yet."""

    def make(dialect: Dialect) -> Any:
        rows = rows_from_json(dialect, "rows", {name: table.c[name].type for name in names})
        statement = sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)
        # Without a WHERE clause SQLite would read ON CONFLICT as a join's condition.
        picked = select(*(rows.c[name] for name in names)).where(true())
        return statement.from_select(list(names), picked, include_defaults=False).on_conflict_do_nothing()

    return CompiledStatement(make)


def _details_statement(dialect: Dialect) -> Update:
    names = ("id", "name", "language", "zone")
    rows = rows_from_json(dialect, "rows", {name: subscriber.c[name].type for name in names})
    changed = {name: rows.c[name] for name in names[1:]}
    return update(subscriber).where(subscriber.c.id == rows.c.id).values(changed)


def _subscriptions_statement(dialect: Dialect) -> Update:
    names = ("subscriber_id", "state", "attributes", "delivery_mode", "changed_at")
    rows = rows_from_json(dialect, "rows", {name: subscription.c[name].type for name in names})
    changed = {name: rows.c[name] for name in names[1:]}
    of_list = subscription.c.mailing_list_id == bindparam("mailing_list_id")
    return update(subscription).where(of_list, subscription.c.subscriber_id == rows.c.subscriber_id).values(changed)


_SUBSCRIBER = (
    "id",
    "address",
    "address_key",
    "mailbox_key",
    "suppression_key",
    "name",
    "language",
    "zone",
    "created_at",
)
_SUBSCRIPTION = (
    "mailing_list_id",
    "subscriber_id",
    "state",
    "attributes",
    "delivery_mode",
    "changed_at",
    "created_at",
)
_CONSENT = ("mailing_list_id", "subscriber_id", "act", "way", "evidence", "at")
_CHANGE = ("run_id", "subscriber_id", "before", "after")
_SUPPRESSION = ("suppression_key", "mailing_list_id", "reason", "created_at", "until", "import_run_id")
ADD_SUBSCRIBERS = _insert_statement(subscriber, _SUBSCRIBER)
ADD_SUBSCRIPTIONS = _insert_statement(subscription, _SUBSCRIPTION)
ADD_CONSENTS = _insert_statement(consent, _CONSENT)
ADD_CHANGES = _insert_statement(import_change, _CHANGE)
ADD_SUPPRESSIONS = _insert_statement(suppression, _SUPPRESSION)
UPDATE_DETAILS, UPDATE_SUBSCRIPTIONS = (
    CompiledStatement(_details_statement),
    CompiledStatement(_subscriptions_statement),
)
