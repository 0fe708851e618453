"""How far the deliveries of a campaign have come."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import BigInteger, Connection, exists, func, literal, or_, select

from mailer.domain.delivery import NOTICES, WAITING, DeliveryState
from mailer.store.batch import packed, rows_of
from mailer.store.queue_tables import campaign, claim, delivery
from mailer.store.tables import subscriber


def any_due(tx: Connection, campaign_id: int, now: datetime) -> bool:
    """Whether something of this campaign can be claimed now."""
    return _any_in_turn(tx, campaign_id) or _any_hour(tx, campaign_id, now)


def any_open(tx: Connection, campaign_id: int) -> bool:
    """Whether a delivery of this campaign is not settled: waits for its turn or an hour, or is held by a worker.

    One statement sees one moment. Of several, on PostgreSQL, a letter that is deferred between two would be seen
    neither waiting nor held, and "sent" would be said while it waits.
    """
    in_turn = select(literal(1)).where(
        campaign.c.id == campaign_id,
        delivery.c.campaign_id == campaign_id,
        delivery.c.campaign_id != NOTICES,
        delivery.c.subscription_id > campaign.c.claim_cursor,
        delivery.c.subscription_id <= campaign.c.launch_cursor,
        delivery.c.state == DeliveryState.QUEUED,
        delivery.c.due_at.is_(None),
    )
    has_hour = select(literal(1)).where(delivery.c.campaign_id == campaign_id, delivery.c.due_at.is_not(None))
    held = select(literal(1)).where(claim.c.campaign_id == campaign_id)
    return tx.execute(select(or_(exists(held), exists(has_hour), exists(in_turn)))).scalar_one()


def _any_in_turn(tx: Connection, campaign_id: int) -> bool:
    found = select(campaign.c.id).where(
        campaign.c.id == campaign_id, campaign.c.claim_cursor < campaign.c.launch_cursor
    )
    return campaign_id != NOTICES and tx.execute(found).first() is not None


def _any_hour(tx: Connection, campaign_id: int, now: datetime | None) -> bool:
    found = select(delivery.c.id).where(delivery.c.campaign_id == campaign_id, delivery.c.due_at.is_not(None))
    if now is not None:
        found = found.where(delivery.c.due_at <= now)
    return tx.execute(found.limit(1)).first() is not None


def counts(tx: Connection, campaign_id: int) -> dict[DeliveryState, int]:
    """How many deliveries of a campaign are in each state; only states that occur."""
    of_campaign = select(delivery.c.state, func.count()).where(delivery.c.campaign_id == campaign_id)
    found = Counter(
        {DeliveryState(state): number for state, number in tx.execute(of_campaign.group_by(delivery.c.state))}
    )
    for _, state in _claimed(tx, campaign_id):
        found[DeliveryState(state)] -= 1
        found[DeliveryState.CLAIMED] += 1
    return {state: number for state, number in found.items() if number}


def _claimed(tx: Connection, campaign_id: int) -> list[tuple[int, str]]:
    """The waiting deliveries that a worker holds, (id, state); the row says what they were before."""
    held = tx.execute(select(claim.c.deliveries).where(claim.c.campaign_id == campaign_id)).scalars()
    ids = packed(tx.dialect, ((number,) for number in {number for deliveries in held for number in deliveries}))
    one = rows_of(tx.dialect, "ids", {"id": BigInteger()})
    found = select(delivery.c.id, delivery.c.state).join_from(one, delivery, delivery.c.id == one.c.id)
    found = found.where(delivery.c.state.in_(WAITING), delivery.c.due_at.is_(None))
    return [(number, state) for number, state in tx.execute(found, {"ids": ids})]


@dataclass(frozen=True, slots=True)
class Line:
    """One person in a campaign's report."""

    id: int
    subscription_id: int
    address: str
    state: DeliveryState
    attempts: int
    code: int | None
    reply: str | None


def of_campaign(tx: Connection, campaign_id: int, after: int, most: int) -> list[Line]:
    """The next `most` deliveries of a campaign after a subscription, for its report."""
    columns = (delivery.c.id, delivery.c.subscription_id, subscriber.c.address, delivery.c.state, delivery.c.attempts)
    wanted = select(*columns, delivery.c.code, delivery.c.reply).join_from(
        delivery, subscriber, subscriber.c.id == delivery.c.subscriber_id
    )
    wanted = wanted.where(
        delivery.c.campaign_id == campaign_id, delivery.c.campaign_id != NOTICES, delivery.c.subscription_id > after
    )
    claimed = {number for number, _ in _claimed(tx, campaign_id)}
    lines = [Line(*row) for row in tx.execute(wanted.order_by(delivery.c.subscription_id).limit(most))]
    return [
        replace(one, state=DeliveryState.CLAIMED if one.id in claimed else DeliveryState(one.state)) for one in lines
    ]
