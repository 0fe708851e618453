"""The one gate: from here on a letter may have gone out.

Leaving, pausing, cancelling and losing a claim all work by making it miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BindParameter, Connection, and_, bindparam, case, exists, literal, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import NOTICES, DeliveryState
from mailer.domain.suppression import EVERY_LIST
from mailer.store.tables import campaign, delivery, suppression


def hand(tx: Connection, wanted: Sequence[int], worker_id: int, dated_at: datetime, now: datetime) -> set[int]:
    """The one gate: mark these as handed, and return the ids that may go out. All others must not.

    It opens only while the row is claimed by this worker, its campaign is sending and no suppression stands:
    leaving, pausing, cancelling and losing a claim all work by making it miss.
    """
    handed = tx.execute(_HAND, {"ids": list(wanted), "by_worker": worker_id, "to_dated_at": dated_at, "by_now": now})
    return set(handed.scalars())


def _sending(now: BindParameter[datetime]) -> ColumnElement[bool]:
    in_time = or_(campaign.c.event_starts_at.is_(None), campaign.c.event_starts_at > now)
    return or_(
        delivery.c.campaign_id == NOTICES,
        _campaign_is(and_(campaign.c.state == CampaignState.SENDING, in_time)),
    )


def _campaign_is(so: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(literal(1)).where(campaign.c.id == delivery.c.campaign_id, so))


def _suppressed() -> ColumnElement[bool]:
    """A site-wide order stands, or (for campaigns; notices may go to the departed) one for the list."""
    own_list = case((delivery.c.campaign_id == NOTICES, EVERY_LIST), else_=delivery.c.mailing_list_id)
    return exists(
        select(literal(1)).where(
            suppression.c.suppression_key == delivery.c.suppression_key,
            or_(suppression.c.mailing_list_id == EVERY_LIST, suppression.c.mailing_list_id == own_list),
        )
    )


def put_back(tx: Connection, ids: Sequence[int], worker_id: int, now: datetime) -> None:
    """Give up claims that missed the gate or were not used: each becomes what it now should be."""
    release(tx, delivery.c.id.in_(ids), delivery.c.worker_id == worker_id, now=now)


def release(tx: Connection, *which: ColumnElement[bool], now: datetime) -> None:
    tx.execute(
        update(delivery)
        .where(*which, delivery.c.state == DeliveryState.CLAIMED)
        .values(
            state=case(
                (_suppressed(), DeliveryState.SUPPRESSED),
                (_campaign_is(campaign.c.state == CampaignState.CANCELLED), DeliveryState.CANCELLED),
                (_campaign_is(campaign.c.event_starts_at <= now), DeliveryState.EXPIRED),
                (delivery.c.attempts > 0, DeliveryState.DEFERRED),
                else_=DeliveryState.QUEUED,
            ),
            worker_id=None,
        )
    )


# Made once: it stands in every commit of a blast.
_HAND = (
    update(delivery)
    .where(
        delivery.c.id.in_(bindparam("ids", expanding=True)),
        delivery.c.state == DeliveryState.CLAIMED,
        delivery.c.worker_id == bindparam("by_worker"),
        _sending(bindparam("by_now", type_=campaign.c.event_starts_at.type)),
        ~_suppressed(),
    )
    .values(
        state=DeliveryState.HANDED,
        attempts=delivery.c.attempts + 1,
        dated_at=bindparam("to_dated_at", type_=delivery.c.dated_at.type),
    )
    .returning(delivery.c.id)
)
