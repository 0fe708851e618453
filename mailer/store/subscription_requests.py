"""Requests to join that wait: for an answer to a confirmation letter, or deferred until they may be asked about."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select, update

from mailer.domain.subscription import CONFIRMATION_INTERVAL, Subscription, SubscriptionState
from mailer.store.people_tables import subscriber, subscription
from mailer.store.subscriptions import subscription_from_row, subscription_query


def mark_asked(
    tx: Connection, requested: Subscription, *, name: str | None, language: str | None, now: datetime
) -> None:
    """Record that a confirmation letter is queued: the subscription waits for its answer, with these details."""
    again = requested.asked_at is not None and now - requested.asked_at < CONFIRMATION_INTERVAL
    asked = {"asked_at": now if not again else requested.asked_at, "asked_again": again, "held_at": None}
    _update_request(tx, requested, name, language, changed_at=now, **asked)


def defer_request(
    tx: Connection, requested: Subscription, *, name: str | None, language: str | None, now: datetime
) -> None:
    """Record a request that waits without a letter, with the requested details."""
    _update_request(tx, requested, name, language, changed_at=now, held_at=now)


def _update_request(
    tx: Connection, requested: Subscription, name: str | None, language: str | None, **values: object
) -> None:
    details = {"requested_name": name or requested.requested_name}
    details["requested_language"] = language or requested.requested_language
    changed = update(subscription).where(subscription.c.id == requested.id)
    tx.execute(changed.values(state=SubscriptionState.PENDING, **details, **values))


def find_oldest_deferred(tx: Connection, subscriber_id: int) -> Subscription | None:
    """A person's oldest deferred request, or None."""
    theirs = subscription_query().where(
        subscription.c.subscriber_id == subscriber_id,
        subscription.c.state == SubscriptionState.PENDING,
        subscription.c.held_at.is_not(None),
    )
    row = tx.execute(theirs.order_by(subscription.c.held_at, subscription.c.id).limit(1)).one_or_none()
    return None if row is None else subscription_from_row(row)


def count_deferred(tx: Connection, mailbox_key: str) -> int:
    """How many deferred requests there are for one mailbox."""
    waiting = select(func.count()).select_from(subscription.join(subscriber))
    return tx.execute(
        waiting.where(subscriber.c.mailbox_key == mailbox_key, subscription.c.held_at.is_not(None))
    ).scalar_one()


def mark_answered(tx: Connection, requested: Subscription, now: datetime) -> None:
    """Record that a subscribed person who asked to join was told so; counts as that day's letter."""
    again = requested.asked_at is not None and now - requested.asked_at < CONFIRMATION_INTERVAL
    at = requested.asked_at if again else now
    tx.execute(update(subscription).where(subscription.c.id == requested.id).values(asked_at=at, asked_again=again))
