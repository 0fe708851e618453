"""Subscriptions: who is on which list."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from mailer.domain.subscription import DeliveryMode, Subscription, SubscriptionState
from mailer.errors import NotFound
from mailer.store.inserts import insert_into, insert_many
from mailer.store.people_tables import subscriber, subscription

_NO_OPEN_REQUEST: dict[str, Any] = {"held_at": None, "requested_name": None, "requested_language": None}


def get(tx: Connection, subscription_id: int) -> Subscription:
    """The subscription of that id. Raises NotFound."""
    if (found := find_by_id(tx, subscription_id)) is None:
        raise NotFound("there is no such subscription")
    return found


def find_by_id(tx: Connection, subscription_id: int) -> Subscription | None:
    """The subscription of that id, or None."""
    row = tx.execute(subscription_query().where(subscription.c.id == subscription_id)).one_or_none()
    return None if row is None else subscription_from_row(row)


def find(tx: Connection, mailing_list_id: int, address_key: str) -> Subscription | None:
    """The subscription of the person at this address to this list, in whatever state, or None."""
    row = tx.execute(
        subscription_query().where(
            subscription.c.mailing_list_id == mailing_list_id,
            subscriber.c.address_key == address_key,
        )
    ).one_or_none()
    return None if row is None else subscription_from_row(row)


def list_ids(tx: Connection, subscriber_id: int) -> frozenset[int]:
    """The lists to which a person has a subscription, in whatever state."""
    found = select(subscription.c.mailing_list_id).where(subscription.c.subscriber_id == subscriber_id)
    return frozenset(tx.execute(found).scalars())


def list_confirmed(tx: Connection, address_key: str) -> list[Subscription]:
    """The confirmed subscriptions of the person at this address, by list."""
    confirmed = (subscriber.c.address_key == address_key, subscription.c.state == SubscriptionState.CONFIRMED)
    return [
        subscription_from_row(row)
        for row in tx.execute(subscription_query().where(*confirmed).order_by(subscription.c.mailing_list_id))
    ]


def any_confirmed(tx: Connection, mailing_list_ids: Collection[int]) -> bool:
    """Whether somebody is confirmed on one of these lists."""
    confirmed = select(subscription.c.id).where(
        subscription.c.mailing_list_id.in_(mailing_list_ids), subscription.c.state == SubscriptionState.CONFIRMED
    )
    return tx.execute(confirmed.limit(1)).first() is not None


def find_or_add_pending(tx: Connection, mailing_list_id: int, subscriber_id: int, now: datetime) -> Subscription:
    """The subscription, added as pending where there is none."""
    row = {"mailing_list_id": mailing_list_id, "subscriber_id": subscriber_id, "attributes": {}}
    state = {"state": SubscriptionState.PENDING, "created_at": now, "changed_at": now}
    add_missing(tx, [row | state])
    return subscription_from_row(
        tx.execute(
            subscription_query().where(
                subscription.c.mailing_list_id == mailing_list_id, subscription.c.subscriber_id == subscriber_id
            )
        ).one()
    )


def list_never_asked(tx: Connection, mailing_list_id: int, after: int, limit: int) -> list[Subscription]:
    """The next pending subscriptions after an id whose people nobody has asked yet: an import has them so."""
    query = subscription_query().where(
        subscription.c.mailing_list_id == mailing_list_id,
        subscription.c.state == SubscriptionState.PENDING,
        subscription.c.asked_at.is_(None),
        subscription.c.held_at.is_(None),
        subscription.c.id > after,
        subscriber.c.address != "",
    )
    return [subscription_from_row(row) for row in tx.execute(query.order_by(subscription.c.id).limit(limit))]


def add_missing(tx: Connection, rows: list[dict[str, Any]]) -> None:
    """Add these subscriptions, given as rows of columns, where there is none in any state."""
    by_person = ["mailing_list_id", "subscriber_id"]
    insert_many(tx, insert_into(tx, subscription).on_conflict_do_nothing(index_elements=by_person), rows)


def change_state(
    tx: Connection,
    subscription_id: int,
    to_state: SubscriptionState,
    *,
    from_states: tuple[SubscriptionState, ...],
    now: datetime,
) -> bool:
    """Change the state if it is one of `from_states`; returns whether it was changed.

    Who confirms has proved to own the address, and may unsubscribe and ask again on the same day.
    """
    proved = {"asked_at": None, "asked_again": False} if to_state is SubscriptionState.CONFIRMED else {}
    return bool(
        tx.execute(
            update(subscription)
            .where(subscription.c.id == subscription_id, subscription.c.state.in_(from_states))
            .values(state=to_state, changed_at=now, **_NO_OPEN_REQUEST, **proved)
        ).rowcount
    )


def unsubscribe_all(tx: Connection, subscriber_id: int, now: datetime) -> None:
    """End every subscription of one person."""
    tx.execute(
        update(subscription)
        .where(subscription.c.subscriber_id == subscriber_id)
        .values(state=SubscriptionState.UNSUBSCRIBED, changed_at=now, **_NO_OPEN_REQUEST)
    )


def subscription_query() -> Select[Any]:
    return select(
        subscription,
        subscriber.c.address,
        subscriber.c.address_key,
        subscriber.c.language,
        subscriber.c.suppression_key,
    ).join_from(subscription, subscriber)


def subscription_from_row(row: Row[Any]) -> Subscription:
    return Subscription(
        id=row.id,
        mailing_list_id=row.mailing_list_id,
        subscriber_id=row.subscriber_id,
        state=SubscriptionState(row.state),
        changed_at=row.changed_at,
        asked_at=row.asked_at,
        asked_again=row.asked_again,
        held_at=row.held_at,
        requested_name=row.requested_name,
        requested_language=row.requested_language,
        address=row.address,
        address_key=row.address_key,
        language=row.language,
        suppression_key=row.suppression_key,
        probed_at=row.probed_at,
        delivery_mode=DeliveryMode(row.delivery_mode) if row.delivery_mode else None,
    )
