"""Column types and naming: UTC datetimes, 64-bit ids, names of constraints."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    func,
    type_coerce,
)


class UtcDateTime(TypeDecorator[datetime]):
    """A datetime, stored in UTC; naive values are refused both ways (ValueError)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite generates row ids only for INTEGER; both are 64 bits wide.
BigInt = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def id_column() -> Column[int]:
    return Column("id", BigInt, primary_key=True)


def iso_text(tx: Connection, column: ColumnElement[datetime]) -> ColumnElement[str]:
    """A UtcDateTime column as `datetime.isoformat` writes it; much faster than to make datetimes of many rows."""
    if tx.dialect.name == "sqlite":
        text = func.replace(type_coerce(column, Text), " ", "T")
    else:
        text = func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS.US')
    return func.replace(text, ".000000", "").concat("+00:00").label(getattr(column, "name", None))
