"""Locks in the database: one process does a thing at most once in a period, and one mail is a signature's first."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, select

from mailer.store.inserts import insert_into
from mailer.store.people_tables import tally


class Lock(StrEnum):
    """What is locked; the values are kinds of rows in the table `tally`."""

    CHECK = "looked"
    """Counting how many of a list's last requesters confirmed, or a campaign's bounces and complaints."""
    PURGE = "tidied"
    """Deleting what is kept no longer."""
    CHECK_ORPHANS = "watched"
    """Looking for orphaned deliveries."""
    SIGNATURE = "heard"
    """A DKIM signature: held by the mail that first came with it."""


def acquire(tx: Connection, lock: Lock, subject: str, period: timedelta, now: datetime) -> bool:
    """Take the lock for `period`; False where it was taken less than a period ago, by any process."""
    statement = insert_into(tx, tally).values(kind=lock, of=subject, since=now, count=1)
    statement = statement.on_conflict_do_update(
        index_elements=["kind", "of"], set_={"since": now, "count": 1}, where=tally.c.since <= now - period
    )
    return bool(tx.execute(statement).rowcount)


def acquire_for_good(tx: Connection, lock: Lock, subject: str, holder: int, now: datetime) -> int:
    """Take the lock for `holder`, unless somebody holds it; returns who holds it."""
    statement = insert_into(tx, tally).values(kind=lock, of=subject, since=now, count=holder)
    tx.execute(statement.on_conflict_do_nothing(index_elements=["kind", "of"]))
    return tx.execute(select(tally.c["count"]).where(tally.c.kind == lock, tally.c.of == subject)).scalar_one()
