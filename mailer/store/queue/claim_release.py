"""Releasing claimed deliveries: each waits again, or becomes what it should be by now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.types import TypeEngine

from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import NOTICES, WAITING, DeliveryState
from mailer.domain.suppression import ANSWERED_REASONS, EVERY_LIST
from mailer.store.bulk_rows import CompiledStatement, rows_from_json, rows_to_json
from mailer.store.columns import UtcDateTime
from mailer.store.people_tables import subscriber, suppression
from mailer.store.queue.queue_tables import campaign, delivery

IS_WAITING = or_(*(delivery.c.state == state for state in WAITING))
_RELEASE_COLUMNS: dict[str, TypeEngine[Any]] = {"id": BigInteger(), "due_at": UtcDateTime()}


def release_deliveries(tx: Connection, due_times: Sequence[tuple[int, datetime]], now: datetime) -> None:
    """Release claimed deliveries, given as (id, due time), that missed the gate or were not used.

    Each waits until its due time, or becomes suppressed, cancelled or expired.
    """
    if due_times:
        _RELEASE.run(tx, released=rows_to_json(tx.dialect, due_times), now=now)


def _release_statement(dialect: Dialect) -> Update:
    one = rows_from_json(dialect, "released", _RELEASE_COLUMNS)
    ended = _end_states(bindparam("now", type_=UtcDateTime()))
    return (
        update(delivery)
        .where(delivery.c.id == one.c.id, IS_WAITING, delivery.c.due_at.is_(None))
        .values(
            state=case(*ended, else_=delivery.c.state),
            due_at=case(*((when, None) for when, _ in ended), else_=one.c.due_at),
        )
    )


def _end_states(now: ColumnElement[datetime]) -> list[tuple[ColumnElement[bool], DeliveryState]]:
    """Conditions under which a waiting delivery has ended meanwhile, and the state it gets."""
    of_reader = (
        select(subscriber.c.suppression_key)
        .where(subscriber.c.id == delivery.c.subscriber_id)
        .correlate(delivery)
        .scalar_subquery()
    )
    return [
        (is_suppressed(func.coalesce(delivery.c.suppression_key, of_reader)), DeliveryState.SUPPRESSED),
        (_campaign_where(campaign.c.state == CampaignState.CANCELLED), DeliveryState.CANCELLED),
        (_campaign_where(campaign.c.event_starts_at <= now), DeliveryState.EXPIRED),
    ]


def _campaign_where(so: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(literal(1)).where(campaign.c.id == delivery.c.campaign_id, so))


def is_suppressed(key: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a suppression for all lists, or for the delivery's list, has this key.

    Notices answer somebody, so they are sent to unsubscribed and paused people and to bouncing addresses; only other
    suppressions for all lists stop them. A pause stands until it is lifted, even beyond its end.
    """
    a_notice = delivery.c.campaign_id == NOTICES
    stops_notices = and_(*(suppression.c.reason != reason for reason in ANSWERED_REASONS))
    of_all = and_(suppression.c.mailing_list_id == EVERY_LIST, or_(~a_notice, stops_notices))
    of_list = and_(suppression.c.mailing_list_id == delivery.c.mailing_list_id, ~a_notice)
    return exists(select(literal(1)).where(suppression.c.suppression_key == key, or_(of_all, of_list)))


_RELEASE = CompiledStatement(_release_statement)
