"""Job markers: how far a recurring job has come, as a number that only this job reads and writes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from mailer.store.inserts import insert_into
from mailer.store.people_tables import tally


class JobMarker(StrEnum):
    """Whose marker it is; the values are kinds of rows in the table `tally`."""

    WEEKLY_REPORT = "weekly"
    """The last ISO week of which owners were told: 202709."""
    EVIDENCE_ERASED = "swept"
    """The id of the last consent line whose old evidence was erased."""
    DAYS_COUNTED = "days"
    """The last day (ordinal, of UTC) whose joins and leaves were counted for good."""


def get_marker(tx: Connection, marker: JobMarker) -> int:
    """The number that the job wrote last; 0 where it never did."""
    return (
        tx.execute(select(tally.c["count"]).where(tally.c.kind == marker, tally.c.of == "")).scalar_one_or_none() or 0
    )


def set_marker(tx: Connection, marker: JobMarker, number: int, now: datetime) -> None:
    """Write the number that `get_marker` returns from now on."""
    statement = insert_into(tx, tally).values(kind=marker, of="", since=now, count=number)
    tx.execute(statement.on_conflict_do_update(index_elements=["kind", "of"], set_={"since": now, "count": number}))
