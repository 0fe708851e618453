"""Counters of letters and requests, each in a window of time that begins with the first one."""

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
from mailer.store.job_markers import JobMarker
from mailer.store.locks import Lock
from mailer.store.people_tables import tally

_LONG_RETENTION = timedelta(days=30)


def increment(tx: Connection, kind: CounterKind, of: str, span: timedelta, now: datetime) -> int:
    """Count one more; returns how many that makes in the window, which a count after `span` begins anew."""
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
    """Count one more of each limit's counter if all limits allow it, else of none; returns whether they do."""
    with tx.begin_nested() as counting:
        for limit in limits:
            if increment(tx, limit.kind, limit.subject, limit.window, now) > limit.maximum:
                counting.rollback()
                return False
    return True


def reset(tx: Connection, kind: CounterKind, of: str) -> None:
    """Delete the counter: the next `increment` begins a window."""
    tx.execute(delete(tally).where(tally.c.kind == kind, tally.c.of == of))


def get_value(tx: Connection, kind: CounterKind, of: str) -> int:
    """The counter's value, even if its window is over; 0 where there is none."""
    return tx.execute(select(tally.c["count"]).where(tally.c.kind == kind, tally.c.of == of)).scalar_one_or_none() or 0


def set_value(tx: Connection, kind: CounterKind, of: str, number: int, now: datetime) -> None:
    """Set the counter; its window begins now."""
    statement = insert_into(tx, tally).values(kind=kind, of=of, since=now, count=number)
    tx.execute(statement.on_conflict_do_update(index_elements=["kind", "of"], set_={"since": now, "count": number}))


def delete_old(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` counters and locks from before then; returns how many were deleted.

    Counters of campaigns and locks of signatures are kept for 30 days longer, job markers for ever.
    """
    kept_longer = (*LONG_LIVED_COUNTERS, Lock.SIGNATURE)
    old = select(tally.c.kind, tally.c.of).where(
        tally.c.since < before,
        tally.c.kind.not_in(tuple(JobMarker)),
        or_(tally.c.kind.not_in(kept_longer), tally.c.since < before - _LONG_RETENTION),
    )
    gone = tuple_(tally.c.kind, tally.c.of).in_(old.limit(limit))
    return tx.execute(delete(tally).where(gone, tally.c.since < before)).rowcount


def increment_many(tx: Connection, numbers: Mapping[tuple[CounterKind, str], int], now: datetime) -> None:
    """Add these numbers (above 0) to their counters, whatever their windows; the windows begin now."""
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


# Compiled once: a flood of requests is refused with little else.
_INCREMENT, _INCREMENT_MANY = CompiledStatement(_increment_statement), CompiledStatement(_increment_many_statement)
