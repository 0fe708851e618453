"""How far the deliveries of a campaign have come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from mailer.domain.delivery import OPEN, WAITING, DeliveryState
from mailer.store.tables import delivery


def any_due(tx: Connection, campaign_id: int, now: datetime) -> bool:
    """Whether something of this campaign waits whose hour has come."""
    found = select(delivery.c.id).where(
        delivery.c.campaign_id == campaign_id, delivery.c.state.in_(WAITING), delivery.c.due_at <= now
    )
    return tx.execute(found.limit(1)).first() is not None


def any_open(tx: Connection, campaign_id: int) -> bool:
    """Whether a delivery of this campaign is not settled."""
    found = select(delivery.c.id).where(delivery.c.campaign_id == campaign_id, delivery.c.state.in_(OPEN))
    return tx.execute(found.limit(1)).first() is not None


def counts(tx: Connection, campaign_id: int) -> dict[DeliveryState, int]:
    """How many deliveries of a campaign are in each state; only states that occur."""
    counted = tx.execute(
        select(delivery.c.state, func.count()).where(delivery.c.campaign_id == campaign_id).group_by(delivery.c.state)
    )
    return {DeliveryState(state): number for state, number in counted}


def of_campaign(tx: Connection, campaign_id: int, after: int, most: int) -> list[Any]:
    """The next `most` deliveries of a campaign after an id, for its report."""
    columns = (delivery.c.id, delivery.c.address, delivery.c.state, delivery.c.attempts)
    wanted = select(*columns, delivery.c.code, delivery.c.reply)
    wanted = wanted.where(delivery.c.campaign_id == campaign_id, delivery.c.id > after)
    return list(tx.execute(wanted.order_by(delivery.c.id).limit(most)).all())
