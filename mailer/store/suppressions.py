"""The standing orders not to mail, by HMAC of the address, so that they outlive a person's erasure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, select

from mailer.domain.suppression import EVERY_LIST, Reason
from mailer.store.database import insert_into
from mailer.store.tables import suppression


def order(tx: Connection, suppression_key: str, mailing_list_id: int, reason: Reason, now: datetime) -> None:
    """Never mail this person from this list (EVERY_LIST: from any); asking twice changes nothing."""
    tx.execute(
        insert_into(tx, suppression)
        .values(suppression_key=suppression_key, mailing_list_id=mailing_list_id, reason=reason, created_at=now)
        .on_conflict_do_nothing()
    )


def lift(tx: Connection, suppression_key: str, mailing_list_id: int) -> None:
    """The person came back to this list by their own word; orders for every list stand."""
    tx.execute(
        delete(suppression).where(
            suppression.c.suppression_key == suppression_key, suppression.c.mailing_list_id == mailing_list_id
        )
    )


def standing(tx: Connection, suppression_keys: Iterable[str], *mailing_list_ids: int) -> set[str]:
    """Those of the keys that must not be mailed from these lists (or from any)."""
    found = tx.execute(
        select(suppression.c.suppression_key).where(
            suppression.c.suppression_key.in_(list(suppression_keys)),
            suppression.c.mailing_list_id.in_((EVERY_LIST, *mailing_list_ids)),
        )
    )
    return set(found.scalars())
