"""The suppressions that a numbered import caused."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select, update

from mailer.domain.suppression import SuppressionReason
from mailer.store.imports.import_tables import import_run
from mailer.store.people_tables import suppression


def extend_pauses(tx: Connection, pauses: Collection[tuple[str, int, datetime | None]]) -> None:
    """Let these pauses, by suppression key and list, end no earlier than given; None: at no time that is known.

    Of two pauses for the same list the longer one stands. Pauses that are not there are not added.
    """
    for key, place, until in pauses:
        this = (suppression.c.suppression_key == key, suppression.c.mailing_list_id == place)
        pause = (*this, suppression.c.reason == SuppressionReason.PAUSED, suppression.c.until.is_not(None))
        ends_earlier = () if until is None else (suppression.c.until < until,)
        tx.execute(update(suppression).where(*pause, *ends_earlier).values(until=until))


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
