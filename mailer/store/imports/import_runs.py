"""Numbered imports: who began which export, when it ended, and what became of its people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from mailer.domain.imports.import_run import ImportRunView
from mailer.errors import NotFound, WrongState
from mailer.store.imports.import_tables import import_run
from mailer.store.people_tables import mailing_list


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedSource:
    """Where the people of an import come from."""

    name: str
    """The product whose export it is, as `mailchimp`; `csv` for a table of people."""
    file_name: str
    sha256: str
    """Of the names and contents of all files; empty where it is not known."""


def begin(tx: Connection, mailing_list_id: int, source: ImportedSource, *, started_by: str, now: datetime) -> int:
    """Add a run; returns its number."""
    values = {
        "mailing_list_id": mailing_list_id,
        "source": source.name,
        "file_name": source.file_name,
        "sha256": source.sha256,
        "started_by": started_by,
        "started_at": now,
    }
    return tx.execute(insert(import_run).values(values).returning(import_run.c.id)).scalar_one()


def end(
    tx: Connection, number: int, *, counts: Mapping[str, int], left_behind: Iterable[str] = (), now: datetime
) -> None:
    """Write what became of its people."""
    values = {"ended_at": now, "counts": dict(counts), "left_behind": list(left_behind)}
    tx.execute(update(import_run).where(import_run.c.id == number).values(values))


def mark_undone(tx: Connection, number: int, *, undone_by: str, now: datetime) -> bool:
    """Note that a run is undone, from now on; returns whether that is new. It writes nobody any more."""
    this = (import_run.c.id == number, import_run.c.undone_at.is_(None))
    values = {"undone_at": now, "undone_by": undone_by, "undo_counts": {}}
    return bool(tx.execute(update(import_run).where(*this).values(values)).rowcount)


def require_not_undone(tx: Connection, number: int) -> None:
    """Raise WrongState where somebody undoes the run."""
    if tx.execute(select(import_run.c.undone_at).where(import_run.c.id == number)).scalar_one() is not None:
        raise WrongState(f"import {number} is being undone")


def undo_counts(tx: Connection, number: int) -> dict[str, int]:
    """How many people the undo of a run has taken back so far, and kept by why."""
    return tx.execute(select(import_run.c.undo_counts).where(import_run.c.id == number)).scalar_one() or {}


def add_undo_counts(tx: Connection, number: int, more: Counter[str]) -> None:
    """Add to the counts of a run's undo."""
    if more.total():
        counts = Counter(undo_counts(tx, number))
        counts.update(more)
        tx.execute(update(import_run).where(import_run.c.id == number).values(undo_counts=dict(counts)))


def get(tx: Connection, number: int) -> ImportRunView:
    """A run. Raises NotFound."""
    row = tx.execute(_query().where(import_run.c.id == number)).one_or_none() if 0 < number < 2**63 else None
    if row is None:
        raise NotFound(f"there is no import {number}")
    return _from_row(row)


def list_runs(tx: Connection, mailing_list_ids: Iterable[int] | None, limit: int) -> tuple[ImportRunView, ...]:
    """The newest runs first; of these lists, or with None of all."""
    query = _query().order_by(import_run.c.id.desc()).limit(limit)
    if mailing_list_ids is not None:
        query = query.where(import_run.c.mailing_list_id.in_(list(mailing_list_ids)))
    return tuple(map(_from_row, tx.execute(query)))


def _query() -> Select[Any]:
    return select(import_run, mailing_list.c.name).join_from(import_run, mailing_list)


def _from_row(row: Row[Any]) -> ImportRunView:
    return ImportRunView(
        number=row.id,
        list_name=row.name,
        mailing_list_id=row.mailing_list_id,
        source=row.source,
        file_name=row.file_name,
        sha256=row.sha256,
        started_by=row.started_by,
        started_at=row.started_at,
        ended_at=row.ended_at,
        undone_at=row.undone_at,
        undone_by=row.undone_by,
        counts=row.counts or {},
        left_behind=tuple(row.left_behind or ()),
    )
