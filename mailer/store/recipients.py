"""The recipients of a campaign: those in a state, page by page, and those whose address begins with some letters."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from mailer.domain.delivery import NOTICES, DeliveryState
from mailer.domain.page import Page, cursor_id, page_size
from mailer.store.campaign_progress import RecipientReport
from mailer.store.people_search import begins_with
from mailer.store.people_tables import subscriber, subscription
from mailer.store.queue.deliveries import last_subscription_id
from mailer.store.queue.queue_tables import delivery

LOOKED_THROUGH = 20_000
"""No index has the state: so many deliveries are looked through for one page, at most."""
_MOST_FOUND, _LOOKED_AT = 200, 2000


def list_in_states(
    tx: Connection, campaign_id: int, states: Collection[DeliveryState], after: str, limit: int
) -> Page[RecipientReport]:
    """Recipients whose delivery is in one of these states, by subscription.

    A page may hold fewer than `limit`, or none, and yet have a next one: LOOKED_THROUGH deliveries were looked through.
    """
    begin, size = cursor_id(after) if after else 0, page_size(limit)
    some = (
        select(delivery)
        .where(
            delivery.c.campaign_id == campaign_id,
            delivery.c.campaign_id != NOTICES,
            delivery.c.subscription_id > begin,
        )
        .order_by(delivery.c.subscription_id)
        .limit(LOOKED_THROUGH)
        .subquery()
    )
    found = _reports(some).where(some.c.state.in_(states)).order_by(some.c.subscription_id).limit(size + 1)
    rows = _from_rows(tx.execute(found))
    if len(rows) > size:
        return Page(tuple(rows[:size]), str(rows[size - 1].subscription_id))
    upto = last_subscription_id(tx, campaign_id, begin, LOOKED_THROUGH)
    is_end = upto is None or last_subscription_id(tx, campaign_id, upto, 1) is None
    return Page(tuple(rows), None if is_end else str(upto))


def find_by_address(tx: Connection, campaign_id: int, mailing_list_id: int, key: str) -> list[RecipientReport]:
    """At most _MOST_FOUND recipients whose address key begins with `key`, by address.

    They are looked for among _LOOKED_AT people with such a key: where there are more, more letters find them.
    """
    people = select(subscriber.c.id).where(begins_with(tx, subscriber.c.address_key, key)).limit(_LOOKED_AT).subquery()
    some = (
        select(delivery)
        .join_from(people, subscription, subscription.c.subscriber_id == people.c.id)
        .join(delivery, delivery.c.subscription_id == subscription.c.id)
        .where(
            subscription.c.mailing_list_id == mailing_list_id,
            delivery.c.campaign_id == campaign_id,
            delivery.c.campaign_id != NOTICES,
        )
        .subquery()
    )
    return _from_rows(tx.execute(_reports(some).order_by(subscriber.c.address_key).limit(_MOST_FOUND)))


def _reports(some: Any) -> Select[Any]:
    columns = (some.c.id, some.c.subscription_id, subscriber.c.address, some.c.state)
    return select(*columns, some.c.attempts, some.c.code, some.c.reply).join_from(
        some, subscriber, subscriber.c.id == some.c.subscriber_id
    )


def _from_rows(rows: Iterable[Row[Any]]) -> list[RecipientReport]:
    return [
        RecipientReport(
            id=row.id,
            subscription_id=row.subscription_id,
            address=row.address,
            state=DeliveryState(row.state),
            attempts=row.attempts,
            code=row.code,
            reply=row.reply,
        )
        for row in rows
    ]
