"""Suppressions: who must not be mailed, by an HMAC of the address, so that they outlive a person's erasure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, select

from mailer.domain.suppression import (
    ANSWERED_REASONS,
    EVERY_LIST,
    LIFTED_BY_REQUEST,
    REFUSING_REASONS,
    SuppressionReason,
)
from mailer.store.inserts import insert_into
from mailer.store.people_tables import suppression

_KEY = ["suppression_key", "mailing_list_id", "reason"]


def add(tx: Connection, suppression_key: str, mailing_list_id: int, reason: SuppressionReason, now: datetime) -> bool:
    """Suppress a person for this list (EVERY_LIST: for all); returns whether that is new, or only an import's so far.

    One that an import alone had caused stays when the import is undone.
    """
    made = tx.execute(
        insert_into(tx, suppression)
        .values(suppression_key=suppression_key, mailing_list_id=mailing_list_id, reason=reason, created_at=now)
        .on_conflict_do_update(
            index_elements=_KEY, set_={"import_run_id": None}, where=suppression.c.import_run_id.is_not(None)
        )
    )
    return bool(made.rowcount)


def lift_suppressions(tx: Connection, suppression_key: str, mailing_list_id: int, *reasons: SuppressionReason) -> bool:
    """Lift a person's suppressions for this list that have one of these reasons; returns whether there were any."""
    lifted = tx.execute(
        delete(suppression).where(
            suppression.c.suppression_key == suppression_key,
            suppression.c.mailing_list_id == mailing_list_id,
            suppression.c.reason.in_(reasons),
        )
    )
    return bool(lifted.rowcount)


def find_suppressed(tx: Connection, suppression_keys: Iterable[str], *mailing_list_ids: int) -> set[str]:
    """Those of the keys that are suppressed for one of these lists, or for all."""
    found = tx.execute(
        select(suppression.c.suppression_key).where(
            suppression.c.suppression_key.in_(list(suppression_keys)),
            suppression.c.mailing_list_id.in_((EVERY_LIST, *mailing_list_ids)),
        )
    )
    return set(found.scalars())


def wants_no_mail(tx: Connection, suppression_keys: Iterable[str]) -> bool:
    """Whether one of these people is suppressed for every list for a reason that forbids to answer them."""
    found = select(suppression.c.reason).where(
        suppression.c.suppression_key.in_(list(suppression_keys)),
        suppression.c.mailing_list_id == EVERY_LIST,
        suppression.c.reason.not_in(ANSWERED_REASONS),
    )
    return tx.execute(found.limit(1)).first() is not None


def reasons_for(tx: Connection, suppression_key: str, mailing_list_id: int) -> set[SuppressionReason]:
    """Why the person is suppressed for this list, or for all."""
    return {reason for place, reason in list_for_person(tx, suppression_key) if place in {EVERY_LIST, mailing_list_id}}


def is_lifted_by_request(tx: Connection, suppression_key: str, mailing_list_id: int) -> bool:
    """Whether the person has a suppression, for this list or for all, that a request of theirs lifts."""
    return not reasons_for(tx, suppression_key, mailing_list_id).isdisjoint(LIFTED_BY_REQUEST)


def refuses_requests(tx: Connection, suppression_key: str, mailing_list_id: int) -> bool:
    """Whether requests of the person to join this list are not answered, nor confirmed."""
    return any(
        (place == EVERY_LIST and reason not in ANSWERED_REASONS)
        or (place == mailing_list_id and reason in REFUSING_REASONS)
        for place, reason in list_for_person(tx, suppression_key)
    )


def list_for_person(tx: Connection, suppression_key: str) -> list[tuple[int, SuppressionReason]]:
    """All suppressions of a person: for which list, and why."""
    return list(ends_for_person(tx, suppression_key))


def ends_for_person(tx: Connection, suppression_key: str) -> dict[tuple[int, SuppressionReason], datetime | None]:
    """All suppressions of a person, by list and reason, each with the time at which it ends by itself, if ever."""
    columns = (suppression.c.mailing_list_id, suppression.c.reason, suppression.c.until)
    found = select(*columns).where(suppression.c.suppression_key == suppression_key)
    ordered = found.order_by(suppression.c.mailing_list_id, suppression.c.reason)
    return {(number, SuppressionReason(reason)): until for number, reason, until in tx.execute(ordered)}
