"""INSERT statements: with ON CONFLICT, of many rows, and quicker than SQLAlchemy executes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import ColumnClause, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from mailer.store.database import is_sqlite


def insert_into(tx: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT with ON CONFLICT, in the dialect at hand, that reports how many rows it added."""
    statement = sqlite.insert(table) if tx.dialect.name == "sqlite" else postgresql.insert(table)
    return statement.execution_options(preserve_rowcount=True)


def insert_many(
    tx: Connection, statement: sqlite.Insert | postgresql.Insert, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Execute an INSERT once for each of `rows`, all with the same columns.

    As Connection.execute would, without its work per row and parameter, which is most of the cost of an import.
    """
    if not rows:
        return
    text, made = _compile_insert(tx, statement, rows)
    tx.exec_driver_sql(text, made)


def insert_multirow(
    tx: Connection, statement: sqlite.Insert | postgresql.Insert, rows: Sequence[Mapping[str, Any]]
) -> None:
    """As `insert_many`, for a few hundred rows at most, in one step to the driver.

    With a step per row, a writer thread beside a busy loop would release the GIL and wait for it at each row.
    """
    if not rows:
        return
    text, made = _compile_insert(tx, statement, rows)
    if not is_sqlite(tx):
        tx.exec_driver_sql(text, made)  # psycopg sends them in one go
        return
    one = "(" + ", ".join("?" * len(rows[0])) + ")"
    tx.exec_driver_sql(text.replace(one, ", ".join([one] * len(rows)), 1), tuple(chain.from_iterable(made)))


def _compile_insert(
    tx: Connection, statement: sqlite.Insert | postgresql.Insert, rows: Sequence[Mapping[str, Any]]
) -> tuple[str, list[Any]]:
    """The INSERT of one row, and the parameters of each row as the driver wants them."""
    names = list(rows[0])
    compiled = statement.compile(dialect=tx.dialect, column_keys=names)
    order = getattr(compiled, "positiontup", None) or names
    made = zip(*(_bind_values(tx, statement.table.c[name], [row[name] for row in rows]) for name in order), strict=True)
    if compiled.positional:
        return str(compiled), list(made)
    return str(compiled), [dict(zip(order, values, strict=True)) for values in made]


def _bind_values(tx: Connection, column: ColumnClause[Any], values: list[Any]) -> list[Any]:
    """The values as the driver wants them; a value that all rows share is converted once."""
    process = column.type.dialect_impl(tx.dialect).bind_processor(tx.dialect)
    if process is None:
        return values
    if all(value is values[0] for value in values):
        return [process(values[0])] * len(values)
    return [process(value) for value in values]
