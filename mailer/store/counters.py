"""The tallies: how often something happened in a window of time that began with the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import (
    Connection,
    Dialect,
    Insert,
    Integer,
    String,
    bindparam,
    case,
    delete,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

from mailer.domain.abuse_limits import LONG_LIVED_COUNTERS, CounterKind, Limit
from mailer.store.bulk_rows import CompiledStatement, rows_from_json, rows_to_json
from mailer.store.columns import UtcDateTime
from mailer.store.inserts import insert_into
from mailer.store.people_tables import tally

_LONG_RETENTION = timedelta(days=30)


def count(tx: Connection, kind: CounterKind, of: str, span: timedelta, now: datetime) -> int:
    """Count one more; how many that makes in its window."""
    return _INCREMENT.run(tx, of_kind=kind, of_whom=of, now=now, over=now - span).scalar_one()


def _increment_statement(dialect: Dialect) -> Insert:
    now, over = bindparam("now", type_=UtcDateTime()), bindparam("over", type_=UtcDateTime())
    insert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    first = insert(tally).values(kind=bindparam("of_kind"), of=bindparam("of_whom"), since=now, count=literal(1))
    is_over = tally.c.since <= over
    counted = first.on_conflict_do_update(
        index_elements=["kind", "of"],
        set_={
            "since": case((is_over, now), else_=tally.c.since),
            "count": case((is_over, literal(1)), else_=tally.c["count"] + 1),
        },
    )
    return counted.returning(tally.c["count"])


def increment_within_limits(tx: Connection, limits: Iterable[Limit], now: datetime) -> bool:
    """Count one more of each, if every limit allows it; else of none."""
    with tx.begin_nested() as counting:
        for limit in limits:
            if count(tx, limit.kind, limit.subject, limit.window, now) > limit.maximum:
                counting.rollback()
                return False
    return True


def reset(tx: Connection, kind: CounterKind, of: str) -> None:
    """Begin anew with the next."""
    tx.execute(delete(tally).where(tally.c.kind == kind, tally.c.of == of))


def get_value(tx: Connection, kind: CounterKind, of: str) -> int:
    """The number at which this stands, whatever its window; 0 where it was never written."""
    return tx.execute(select(tally.c["count"]).where(tally.c.kind == kind, tally.c.of == of)).scalar_one_or_none() or 0


def set_value(tx: Connection, kind: CounterKind, of: str, number: int, now: datetime) -> None:
    """Let it stand at a number."""
    statement = insert_into(tx, tally).values(kind=kind, of=of, since=now, count=number)
    tx.execute(statement.on_conflict_do_update(index_elements=["kind", "of"], set_={"since": now, "count": number}))


def set_value_once(tx: Connection, kind: CounterKind, of: str, number: int, now: datetime) -> int:
    """Let it stand at a number, unless it stands at one already; at which it stands."""
    statement = insert_into(tx, tally).values(kind=kind, of=of, since=now, count=number)
    tx.execute(statement.on_conflict_do_nothing(index_elements=["kind", "of"]))
    return get_value(tx, kind, of)


def delete_old(tx: Connection, before: datetime, limit: int) -> int:
    """Forget up to `most` windows that began before (some a month before); how many were."""
    long_ago = or_(tally.c.kind.not_in(LONG_LIVED_COUNTERS), tally.c.since < before - _LONG_RETENTION)
    old = select(tally.c.kind, tally.c.of).where(
        tally.c.since < before, tally.c.kind != CounterKind.EVIDENCE_ERASED_UP_TO, long_ago
    )
    old = old.limit(limit)
    return tx.execute(delete(tally).where(tuple_(tally.c.kind, tally.c.of).in_(old), tally.c.since < before)).rowcount


def increment_many(tx: Connection, numbers: Mapping[tuple[CounterKind, str], int], now: datetime) -> None:
    """Count so many more of each (more than 0), whatever their windows, which begin now."""
    rows = sorted((kind, of, number) for (kind, of), number in numbers.items())
    if rows:
        _INCREMENT_MANY.run(tx, rows=rows_to_json(tx.dialect, rows), now=now)


def _increment_many_statement(dialect: Dialect) -> Insert:
    one = rows_from_json(dialect, "rows", {"kind": String(), "of": String(), "number": Integer()})
    now = bindparam("now", type_=UtcDateTime())
    insert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    # With its condition SQLite does not take ON CONFLICT for a join's.
    rows = select(one.c.kind, one.c.of, now, one.c.number).where(one.c.number > 0)
    added = insert(tally).from_select(["kind", "of", "since", "count"], rows)
    more = tally.c["count"] + added.excluded["count"]
    return added.on_conflict_do_update(index_elements=["kind", "of"], set_={"since": now, "count": more})


# Made once: a flood of requests is turned away with little else.
_INCREMENT, _INCREMENT_MANY = CompiledStatement(_increment_statement), CompiledStatement(_increment_many_statement)
