"""The suppressions that a numbered import caused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, or_, select, update

from mailer.domain.suppression import SuppressionReason
from mailer.store.imports.import_tables import import_run
from mailer.store.inserts import insert_into, insert_many
from mailer.store.people_tables import suppression


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedSuppression:
    """A suppression from an imported table."""

    suppression_key: str
    mailing_list_id: int
    """EVERY_LIST for all."""
    reason: SuppressionReason
    created_at: datetime
    until: datetime | None = None
    """When a pause ends; one that is over by now is not to be added."""


def add_imported(tx: Connection, run_id: int, entries: Collection[ImportedSuppression]) -> set[str]:
    """Add suppressions that the import of this number causes; returns the keys of those for whom one is new.

    One that somebody else had caused before, another import too, is not lifted when this import is undone; of two
    pauses for the same list the longer one stands.
    """
    if not entries:
        return set()
    known = _find_known(tx, {one.suppression_key for one in entries})
    statement = insert_into(tx, suppression)
    own, new = suppression.c, statement.excluded
    longer = case(
        (or_(own.until.is_(None), new.until.is_(None)), None), (new.until > own.until, new.until), else_=own.until
    )
    by_one_import = case((own.import_run_id == new.import_run_id, own.import_run_id), else_=None)
    insert_many(
        tx,
        statement.on_conflict_do_update(
            index_elements=["suppression_key", "mailing_list_id", "reason"],
            set_={"until": longer, "import_run_id": by_one_import},
        ),
        [
            {
                "suppression_key": one.suppression_key,
                "mailing_list_id": one.mailing_list_id,
                "reason": one.reason,
                "created_at": one.created_at,
                "until": one.until,
                "import_run_id": run_id,
            }
            for one in entries
        ],
    )
    return {
        one.suppression_key for one in entries if (one.suppression_key, one.mailing_list_id, one.reason) not in known
    }


def share_suppressions(tx: Connection, run_id: int, claims: Collection[tuple[str, int, SuppressionReason]]) -> None:
    """Let suppressions that another import had caused stand whatever becomes of it, since this one says the same.

    They are given by suppression key, list and reason. An import of the same files as this one says nothing new.
    """
    sha256 = select(import_run.c.sha256).where(import_run.c.id == run_id, import_run.c.sha256 != "").scalar_subquery()
    same = select(import_run.c.id).where(import_run.c.sha256 == sha256)
    columns = (suppression.c.suppression_key, suppression.c.mailing_list_id, suppression.c.reason)
    of_others = (
        suppression.c.suppression_key.in_({key for key, _, _ in claims}),
        suppression.c.import_run_id.is_not(None),
        suppression.c.import_run_id != run_id,
        suppression.c.import_run_id.not_in(same),
    )
    claimed = {(key, place, reason.value) for key, place, reason in claims}
    for row in tx.execute(select(*columns).where(*of_others)).all():
        if tuple(row) in claimed:
            this = (one == value for one, value in zip(columns, row, strict=True))
            tx.execute(update(suppression).where(*this).values(import_run_id=None))


def _find_known(tx: Connection, suppression_keys: Collection[str]) -> set[tuple[str, int, SuppressionReason]]:
    columns = (suppression.c.suppression_key, suppression.c.mailing_list_id, suppression.c.reason)
    found = tx.execute(select(*columns).where(suppression.c.suppression_key.in_(suppression_keys)))
    return {(row.suppression_key, row.mailing_list_id, SuppressionReason(row.reason)) for row in found}
