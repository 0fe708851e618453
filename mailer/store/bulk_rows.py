"""Many rows in one statement: they are passed as one JSON text, in and out, on each database.

A statement is one step to the driver, however many rows it handles. With a step per row, a writer thread beside a busy
loop would release the GIL and wait for it at each row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    ClauseElement,
    Connection,
    CursorResult,
    Dialect,
    Select,
    String,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.sql.selectable import Subquery
from sqlalchemy.types import TypeEngine


def rows_from_json(dialect: Dialect, name: str, columns: Mapping[str, TypeEngine[Any]]) -> Subquery:
    """A subquery `name` of the rows that are passed as the parameter `name`: a JSON array of arrays from
    `rows_to_json`."""
    given = bindparam(name, type_=String)
    if dialect.name == "sqlite":
        each = func.json_each(given).table_valued(column("value", JSON), name=f"{name}_each")
        picked = [each.c.value.op("->>")(place).label(key) for place, key in enumerate(columns)]
    else:
        each = func.json_array_elements(cast(given, JSON)).table_valued(column("value", JSON), name=f"{name}_each")
        picked = [
            cast(each.c.value.op("->>")(place), kind).label(key) for place, (key, kind) in enumerate(columns.items())
        ]
    return select(*picked).select_from(each).subquery(name)


def rows_to_json(dialect: Dialect, rows: Iterable[Sequence[Any]]) -> str:
    """Rows as `rows_from_json` reads them; datetimes in the database's format, naive ones are refused (ValueError)."""
    return json.dumps(
        list(rows), default=_sqlite_time if dialect.name == "sqlite" else _iso_time, separators=(",", ":")
    )


@lru_cache(maxsize=1024)
def _sqlite_time(value: datetime) -> str:
    return _to_utc(value).strftime("%Y-%m-%d %H:%M:%S.%f")


@lru_cache(maxsize=1024)
def _iso_time(value: datetime) -> str:
    return _to_utc(value).isoformat()


def _to_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"naive time {value!r}")
    return value.astimezone(UTC)


def fetch_rows(tx: Connection, query: Select[Any]) -> list[list[Any]]:
    """The rows of a query with JSON values: read datetimes with `parse_instant`."""
    return decode_rows(tx.execute(as_json(tx.dialect, query)))


def as_json(dialect: Dialect, query: Select[Any]) -> Select[Any]:
    """A query for one value: a JSON array of all rows of `query`, in its order."""
    inner = query.subquery("found")
    if dialect.name == "sqlite":
        fields = [func.json(one) if isinstance(one.type, JSON) else one for one in inner.c]
        return select(func.json_group_array(func.json_array(*fields)))
    return select(func.json_agg(func.json_build_array(*inner.c)))


def decode_rows(result: CursorResult[Any]) -> list[list[Any]]:
    """The rows of the result of an `as_json` query."""
    found = result.scalar_one()
    return found if isinstance(found, list) else json.loads(found or "[]")


def parse_instant(text: str | None) -> datetime | None:
    """A datetime from `fetch_rows`, in UTC whatever the time zone of the database session."""
    if text is None:
        return None
    read = datetime.fromisoformat(text)
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


class CompiledStatement:
    """A statement that is compiled once for each dialect and executed without SQLAlchemy's work at each execution."""

    def __init__(self, make: Callable[[Dialect], ClauseElement]) -> None:
        self._make = make
        self._made: dict[str, _Compiled] = {}

    def run(self, tx: Connection, **values: Any) -> CursorResult[Any]:
        """Execute it with these parameters."""
        statement = self._made.get(tx.dialect.name) or self._compile(tx.dialect)
        given = statement.fixed | {
            key: process(value) if (process := statement.processors.get(key)) else value
            for key, value in values.items()
        }
        return tx.exec_driver_sql(
            statement.sql, given if statement.order is None else tuple(given[key] for key in statement.order)
        )

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._make(dialect).compile(dialect=dialect)
        processors = {
            key: process
            for bind, key in compiled.bind_names.items()  # type: ignore[attr-defined]
            if (process := bind.type.dialect_impl(dialect).bind_processor(dialect))
        }
        fixed = {
            key: processors[key](bind.value) if key in processors else bind.value
            for bind, key in compiled.bind_names.items()  # type: ignore[attr-defined]
            if not bind.required
        }
        statement = self._made[dialect.name] = _Compiled(
            str(compiled), getattr(compiled, "positiontup", None), fixed, processors
        )
        return statement


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    order: list[str] | None
    fixed: dict[str, Any]
    processors: dict[str, Callable[[Any], Any]]
