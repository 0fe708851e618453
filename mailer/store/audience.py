"""Freezing a campaign's audience: one delivery per recipient, a chunk at a time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, String, case, exists, func, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement

from mailer.domain.campaign import Campaign
from mailer.domain.delivery import DeliveryState, Kind
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import EVERY_LIST
from mailer.store.database import insert_into
from mailer.store.tables import delivery, subscriber, subscription, suppression

_COLUMNS = [
    *("campaign_id", "kind", "mailing_list_id", "subscriber_id", "subscription_id", "revision_id"),
    *("address", "suppression_key", "name", "language", "values", "state", "due_at", "queued_at"),
]


def ceiling(tx: Connection, mailing_list_id: int) -> int:
    """The highest subscription id of a list as of now (0: none)."""
    highest = select(func.max(subscription.c.id)).where(subscription.c.mailing_list_id == mailing_list_id)
    return tx.execute(highest).scalar_one() or 0


def reach(tx: Connection, mailing_list_id: int) -> int:
    """How many people a launch would write to now."""
    return tx.execute(
        select(func.count())
        .select_from(subscription.join(subscriber))
        .where(
            subscription.c.mailing_list_id == mailing_list_id,
            subscription.c.state == SubscriptionState.CONFIRMED,
            ~_suppressed(mailing_list_id),
        )
    ).scalar_one()


def next_cursor(tx: Connection, campaign: Campaign, most: int) -> int | None:
    """The last subscription id of the next chunk of `most` confirmed subscriptions, or None at the end."""
    chunk = (
        select(subscription.c.id)
        .where(
            subscription.c.mailing_list_id == campaign.mailing_list_id,
            subscription.c.state == SubscriptionState.CONFIRMED,
            subscription.c.id > campaign.launch_cursor,
            subscription.c.id <= campaign.launch_ceiling,
        )
        .order_by(subscription.c.id)
        .limit(most)
        .subquery()
    )
    return tx.execute(select(func.max(chunk.c.id))).scalar_one()


def freeze(tx: Connection, campaign: Campaign, revisions: dict[str, int], upto: int, now: datetime) -> int:
    """Write the deliveries of confirmed, unsuppressed subscriptions after the cursor, `upto` included.

    `revisions` gives the revision by edition language, the default first. Doing it twice writes nothing twice.
    Returns how many were written.
    """
    recipients = (
        select(
            literal(campaign.id),
            literal(Kind.CAMPAIGN, String),
            subscription.c.mailing_list_id,
            subscriber.c.id,
            subscription.c.id,
            _revision(revisions),
            subscriber.c.address,
            subscriber.c.suppression_key,
            subscriber.c.name,
            subscriber.c.language,
            subscription.c.attributes,
            literal(DeliveryState.QUEUED, String),
            literal(now, delivery.c.due_at.type),
            literal(now, delivery.c.due_at.type),
        )
        .join_from(subscription, subscriber)
        .where(
            subscription.c.mailing_list_id == campaign.mailing_list_id,
            subscription.c.state == SubscriptionState.CONFIRMED,
            subscription.c.id > campaign.launch_cursor,
            subscription.c.id <= upto,
            ~_suppressed(campaign.mailing_list_id),
        )
        .order_by(subscription.c.id)
    )
    statement = insert_into(tx, delivery).from_select(_COLUMNS, recipients)
    return tx.execute(statement.on_conflict_do_nothing()).rowcount


def _suppressed(mailing_list_id: int) -> ColumnElement[bool]:
    return exists(
        select(literal(1)).where(
            suppression.c.suppression_key == subscriber.c.suppression_key,
            suppression.c.mailing_list_id.in_((EVERY_LIST, mailing_list_id)),
        )
    )


def _revision(revisions: dict[str, int]) -> ColumnElement[int]:
    """The edition in the reader's language (RFC 4647 lookup: `pt-br`, then `pt`), else the default one."""
    default = next(iter(revisions.values()))
    nearest_first = sorted(revisions.items(), key=lambda one: -len(one[0]))
    spoken = func.coalesce(subscriber.c.language, "")
    return case(
        *((or_(spoken == tag, spoken.like(f"{tag}-%")), literal(number)) for tag, number in nearest_first),
        else_=literal(default),
    )
