"""Test letters of campaigns, and what became of their deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, insert, select

from mailer.domain.delivery import NOTICES, OPEN, DeliveryState
from mailer.store.queue.queue_tables import delivery
from mailer.store.writing.draft_tables import test_letter

MOST_LISTED = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class SentTest:
    """One test letter; what is None was deleted with its delivery."""

    address: str | None
    language: str
    revision_id: int
    sent_by: str
    sent_at: datetime
    state: DeliveryState | None
    reply: str | None


def record(
    tx: Connection,
    *,
    campaign_id: int,
    language: str,
    delivery_id: int,
    revision_id: int,
    sent_by: str,
    now: datetime,
) -> None:
    """Note that a delivery is a test letter of this edition."""
    values = {"campaign_id": campaign_id, "language": language, "delivery_id": delivery_id}
    tx.execute(insert(test_letter).values(revision_id=revision_id, sent_by=sent_by, sent_at=now, **values))


def list_newest(tx: Connection, campaign_id: int) -> list[SentTest]:
    """The newest MOST_LISTED test letters of a campaign, the newest first."""
    own = ("language", "revision_id", "sent_by", "sent_at")
    found = (
        select(*(test_letter.c[name] for name in own), delivery.c.address, delivery.c.state, delivery.c.reply)
        .select_from(test_letter)
        .outerjoin(delivery, delivery.c.id == test_letter.c.delivery_id)
        .where(test_letter.c.campaign_id == campaign_id)
        .order_by(test_letter.c.id.desc())
        .limit(MOST_LISTED)
    )
    return [
        SentTest(
            address=row.address,
            language=row.language,
            revision_id=row.revision_id,
            sent_by=row.sent_by,
            sent_at=row.sent_at,
            state=DeliveryState(row.state) if row.state else None,
            reply=row.reply,
        )
        for row in tx.execute(found)
    ]


def count_since(tx: Connection, campaign_id: int, since: datetime) -> int:
    """How many test letters of a campaign were queued since then."""
    counted = select(func.count()).where(test_letter.c.campaign_id == campaign_id, test_letter.c.sent_at >= since)
    return tx.execute(counted).scalar_one()


def has_open(tx: Connection, campaign_id: int, language: str) -> bool:
    """Whether a test letter of an edition is still to be written or sent."""
    under_way = (
        select(delivery.c.id)
        .join_from(test_letter, delivery, delivery.c.id == test_letter.c.delivery_id)
        .where(
            test_letter.c.campaign_id == campaign_id,
            test_letter.c.language == language,
            delivery.c.campaign_id == NOTICES,
            delivery.c.state.in_(OPEN),
        )
    )
    return tx.execute(select(exists(under_way))).scalar_one()
