"""Freezing a campaign's audience: one delivery per recipient, chunk by chunk."""

from __future__ import annotations

from sqlalchemy import Connection, String, exists, func, literal, select
from sqlalchemy.sql.elements import ColumnElement

from mailer.domain.campaign import Campaign
from mailer.domain.delivery import DeliveryState, Kind
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import EVERY_LIST
from mailer.store.inserts import insert_into
from mailer.store.people_tables import subscriber, subscription, suppression
from mailer.store.queue.queue_tables import delivery

_DELIVERY_COLUMNS = ["campaign_id", "kind", "mailing_list_id", "subscriber_id", "subscription_id", "state"]


def highest_subscription_id(tx: Connection, mailing_list_id: int) -> int:
    """The highest subscription id of a list; 0 where there is none."""
    highest = select(func.max(subscription.c.id)).where(subscription.c.mailing_list_id == mailing_list_id)
    return tx.execute(highest).scalar_one() or 0


def count_audience(tx: Connection, mailing_list_id: int) -> int:
    """How many people a launch would write to now."""
    return tx.execute(
        select(func.count())
        .select_from(subscription.join(subscriber))
        .where(
            subscription.c.mailing_list_id == mailing_list_id,
            subscription.c.state == SubscriptionState.CONFIRMED,
            ~is_suppressed_on(mailing_list_id),
        )
    ).scalar_one()


def next_launch_cursor(tx: Connection, campaign: Campaign, limit: int) -> int | None:
    """The last subscription id of the next chunk of `limit` confirmed subscriptions, or None at the end."""
    chunk = (
        select(subscription.c.id)
        .where(
            subscription.c.mailing_list_id == campaign.mailing_list_id,
            subscription.c.state == SubscriptionState.CONFIRMED,
            subscription.c.id > campaign.launch_cursor,
            subscription.c.id <= campaign.launch_ceiling,
        )
        .order_by(subscription.c.id)
        .limit(limit)
        .subquery()
    )
    return tx.execute(select(func.max(chunk.c.id))).scalar_one()


def freeze_audience(tx: Connection, campaign: Campaign, upto: int) -> int:
    """Write deliveries for the confirmed, unsuppressed subscriptions after the cursor, up to and including `upto`.

    Who they are and which edition they get is looked up when they are claimed. Returns how many were written; a unique
    index refuses writing one twice.
    """
    recipients = (
        select(
            literal(campaign.id),
            literal(Kind.CAMPAIGN, String),
            subscription.c.mailing_list_id,
            subscription.c.subscriber_id,
            subscription.c.id,
            literal(DeliveryState.QUEUED, String),
        )
        .join_from(subscription, subscriber)
        .where(
            subscription.c.mailing_list_id == campaign.mailing_list_id,
            subscription.c.state == SubscriptionState.CONFIRMED,
            subscription.c.id > campaign.launch_cursor,
            subscription.c.id <= upto,
            ~is_suppressed_on(campaign.mailing_list_id),
        )
        .order_by(subscription.c.id)
    )
    return tx.execute(insert_into(tx, delivery).from_select(_DELIVERY_COLUMNS, recipients)).rowcount


def is_suppressed_on(mailing_list_id: int) -> ColumnElement[bool]:
    """Whether a suppression forbids letters of this list to the row of `subscriber`."""
    return exists(
        select(literal(1)).where(
            suppression.c.suppression_key == subscriber.c.suppression_key,
            suppression.c.mailing_list_id.in_((EVERY_LIST, mailing_list_id)),
        )
    )
