"""The append-only record of what was agreed or withdrawn, when, through which door, on what evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from mailer.domain.consent import Act, Evidence
from mailer.domain.subscription import Subscription
from mailer.store.tables import consent


def record(tx: Connection, of: Subscription, act: Act, evidence: Evidence, now: datetime) -> None:
    """One line about one subscription."""
    record_many(tx, of.mailing_list_id, [of.subscriber_id], act, evidence, now)


def record_many(
    tx: Connection, mailing_list_id: int, subscriber_ids: Iterable[int], act: Act, evidence: Evidence, now: datetime
) -> None:
    """The same line about each of these people."""
    rows = [
        {
            "mailing_list_id": mailing_list_id,
            "subscriber_id": subscriber_id,
            "act": act,
            "way": evidence.way,
            "evidence": evidence.words,
            "at": now,
        }
        for subscriber_id in subscriber_ids
    ]
    if rows:
        tx.execute(insert(consent), rows)


def of_subscriber(tx: Connection, subscriber_id: int) -> list[dict[str, Any]]:
    """The lines about one person, oldest first."""
    found = tx.execute(select(consent).where(consent.c.subscriber_id == subscriber_id).order_by(consent.c.id))
    return [dict(row._mapping) for row in found]
