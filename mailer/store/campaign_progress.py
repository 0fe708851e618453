"""How far the deliveries of a campaign have come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import BigInteger, Connection, Select, or_, select

from mailer.domain.delivery import NOTICES, WAITING, DeliveryState
from mailer.store.bulk_rows import rows_from_json, rows_to_json
from mailer.store.people_tables import subscriber
from mailer.store.queue.queue_tables import campaign, claim, delivery


def any_due(tx: Connection, campaign_id: int, now: datetime) -> bool:
    """Whether something of this campaign can be claimed now."""
    return _any_exists(tx, _in_turn(campaign_id), _with_due_at(campaign_id).where(delivery.c.due_at <= now))


def any_open(tx: Connection, campaign_id: int) -> bool:
    """Whether a delivery of this campaign is not settled: it waits, or a worker holds it."""
    return _any_exists(tx, _in_turn(campaign_id), _with_due_at(campaign_id), _claims_of(campaign_id))


def any_waiting(tx: Connection, campaign_id: int) -> bool:
    """Whether a delivery of this campaign waits, in order or for a due time."""
    return _any_exists(tx, _in_turn(campaign_id), _with_due_at(campaign_id))


def _any_exists(tx: Connection, *those: Select[tuple[int]]) -> bool:
    """Whether one of these queries finds anything. One statement: between two, a held delivery could come back to
    wait."""
    found = or_(*(one.limit(1).scalar_subquery().is_not(None) for one in those))
    return bool(tx.execute(select(found)).scalar_one())


def _in_turn(campaign_id: int) -> Select[tuple[int]]:
    """Those that wait in order; the deliveries of people who left since the launch do not wait any more."""
    after, upto = (
        select(cursor).where(campaign.c.id == campaign_id).scalar_subquery()
        for cursor in (campaign.c.claim_cursor, campaign.c.launch_cursor)
    )
    found = select(delivery.c.id).where(
        delivery.c.campaign_id == campaign_id,
        delivery.c.campaign_id != NOTICES,
        delivery.c.subscription_id > after,
        delivery.c.subscription_id <= upto,
        delivery.c.state == DeliveryState.QUEUED,
        delivery.c.due_at.is_(None),
    )
    return found.order_by(delivery.c.subscription_id)


def _with_due_at(campaign_id: int) -> Select[tuple[int]]:
    return select(delivery.c.id).where(delivery.c.campaign_id == campaign_id, delivery.c.due_at.is_not(None))


def _claims_of(campaign_id: int) -> Select[tuple[int]]:
    return select(claim.c.id).where(claim.c.campaign_id == campaign_id)


def _list_claimed(tx: Connection, campaign_id: int) -> list[tuple[int, str]]:
    """The waiting deliveries that a worker holds, (id, state before the claim)."""
    held = tx.execute(select(claim.c.deliveries).where(claim.c.campaign_id == campaign_id)).scalars()
    ids = rows_to_json(tx.dialect, ((number,) for number in {number for deliveries in held for number in deliveries}))
    one = rows_from_json(tx.dialect, "ids", {"id": BigInteger()})
    found = select(delivery.c.id, delivery.c.state).join_from(one, delivery, delivery.c.id == one.c.id)
    found = found.where(delivery.c.state.in_(WAITING), delivery.c.due_at.is_(None))
    return [(number, state) for number, state in tx.execute(found, {"ids": ids})]


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """One recipient in a campaign's report."""

    id: int
    subscription_id: int
    address: str
    state: DeliveryState
    attempts: int
    code: int | None
    reply: str | None


def list_recipients(tx: Connection, campaign_id: int, after: int, limit: int) -> list[RecipientReport]:
    """The next `limit` deliveries of a campaign after a subscription, for its report."""
    columns = (delivery.c.id, delivery.c.subscription_id, subscriber.c.address, delivery.c.state, delivery.c.attempts)
    query = select(*columns, delivery.c.code, delivery.c.reply).join_from(
        delivery, subscriber, subscriber.c.id == delivery.c.subscriber_id
    )
    query = query.where(
        delivery.c.campaign_id == campaign_id, delivery.c.campaign_id != NOTICES, delivery.c.subscription_id > after
    )
    claimed = {number for number, _ in _list_claimed(tx, campaign_id)}
    lines = [RecipientReport(*row) for row in tx.execute(query.order_by(delivery.c.subscription_id).limit(limit))]
    return [
        replace(one, state=DeliveryState.CLAIMED if one.id in claimed else DeliveryState(one.state)) for one in lines
    ]
