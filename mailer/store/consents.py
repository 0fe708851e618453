"""The append-only record of what was agreed or withdrawn, when, through which door, on what evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, literal, select

from mailer.domain.consent import Act, Evidence
from mailer.domain.subscription import Subscription
from mailer.store.tables import consent, subscriber


def record(tx: Connection, of: Subscription, act: Act, evidence: Evidence, now: datetime) -> None:
    """One line about one subscription."""
    record_many(tx, of.mailing_list_id, [of.subscriber_id], act, evidence, now)


def record_many(
    tx: Connection, mailing_list_id: int, subscriber_ids: Iterable[int], act: Act, evidence: Evidence, now: datetime
) -> None:
    """The same line about each of these people."""
    line = select(
        literal(mailing_list_id, consent.c.mailing_list_id.type),
        subscriber.c.id,
        literal(act, consent.c.act.type),
        literal(evidence.way, consent.c.way.type),
        literal(evidence.words, consent.c.evidence.type),
        literal(now, consent.c.at.type),
    ).where(subscriber.c.id.in_(list(subscriber_ids)))
    columns = ["mailing_list_id", "subscriber_id", "act", "way", "evidence", "at"]
    tx.execute(insert(consent).from_select(columns, line))


def of_subscriber(tx: Connection, subscriber_id: int) -> list[dict[str, Any]]:
    """The lines about one person, oldest first."""
    found = tx.execute(select(consent).where(consent.c.subscriber_id == subscriber_id).order_by(consent.c.id))
    return [dict(row._mapping) for row in found]
