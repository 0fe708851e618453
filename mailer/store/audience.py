"""A campaign's audience: counted, and frozen at the launch as one delivery per recipient, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, String, exists, func, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement

from mailer.domain.campaign import Campaign
from mailer.domain.delivery import NEVER_HANDED, NOTICES, DeliveryState, Kind
from mailer.domain.letters.edition_choice import choose_edition
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import EVERY_LIST
from mailer.store import campaigns, mailing_lists, revisions
from mailer.store.inserts import insert_into
from mailer.store.people_tables import subscriber, subscription, suppression
from mailer.store.queue.queue_tables import delivery

_DELIVERY_COLUMNS = ["campaign_id", "kind", "mailing_list_id", "subscriber_id", "subscription_id", "state"]


def highest_subscription_id(tx: Connection, mailing_list_id: int) -> int:
    """The highest subscription id of a list; 0 where there is none."""
    highest = select(func.max(subscription.c.id)).where(subscription.c.mailing_list_id == mailing_list_id)
    return tx.execute(highest).scalar_one() or 0


def count_by_language(tx: Connection, campaign: Campaign) -> dict[str, int]:
    """Whom a launch of all editions would write to now, by the readers' language; "" where it is not known."""
    language = func.coalesce(subscriber.c.language, "").label("language")
    each = (
        select(language)
        .select_from(subscription.join(subscriber))
        .where(
            subscription.c.mailing_list_id == campaign.mailing_list_id,
            subscription.c.state == SubscriptionState.CONFIRMED,
            ~is_suppressed_on(campaign.mailing_list_id),
            *_not_mailed_before(tx, campaign),
        )
        .subquery("each")
    )
    counted = select(each.c.language, func.count()).group_by(each.c.language)
    return {tag: number for tag, number in tx.execute(counted)}


def campaigns_before(tx: Connection, campaign: Campaign) -> list[Campaign]:
    """The campaigns whose recipients get nothing of this one, the latest first."""
    found: dict[int, Campaign] = {}
    earlier = campaign.not_mailed_by
    while earlier is not None and earlier not in found:
        found[earlier] = campaigns.get(tx, earlier)
        earlier = found[earlier].not_mailed_by
    return list(found.values())


def _not_mailed_before(tx: Connection, campaign: Campaign) -> Iterator[ColumnElement[bool]]:
    """Conditions on a row of `subscription`: its person was mailed by none of the campaigns before, on whatever list.

    A letter that waits may still be sent; one that failed may be sent again.
    """
    for earlier in campaigns_before(tx, campaign):
        theirs = subscription.alias()
        may_have_been_handed = or_(delivery.c.state.not_in(NEVER_HANDED), delivery.c.resends > 0)
        yield ~exists(
            select(literal(1))
            .select_from(theirs.join(delivery, delivery.c.subscription_id == theirs.c.id))
            .where(
                theirs.c.mailing_list_id == earlier.mailing_list_id,
                theirs.c.subscriber_id == subscription.c.subscriber_id,
                delivery.c.campaign_id == earlier.id,
                delivery.c.campaign_id != NOTICES,
                may_have_been_handed,
            )
        )


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

    Only to readers of the editions that are sent, and to nobody whom a campaign before has mailed. Who they are and
    which edition they get is looked up when they are claimed. Returns how many were written; a unique index refuses
    writing one twice.
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
            *_reads_sent_edition(tx, campaign, upto),
            *_not_mailed_before(tx, campaign),
        )
        .order_by(subscription.c.id)
    )
    return tx.execute(insert_into(tx, delivery).from_select(_DELIVERY_COLUMNS, recipients)).rowcount


def _reads_sent_edition(tx: Connection, campaign: Campaign, upto: int) -> Iterator[ColumnElement[bool]]:
    """Conditions on a row of `subscriber`, up to this subscription: their edition is one of those that are sent."""
    if campaign.languages is None:
        return
    tag = func.coalesce(subscriber.c.language, "")
    tags = (
        select(tag)
        .distinct()
        .join_from(subscription, subscriber)
        .where(
            subscription.c.mailing_list_id == campaign.mailing_list_id,
            subscription.c.state == SubscriptionState.CONFIRMED,
            subscription.c.id > campaign.launch_cursor,
            subscription.c.id <= upto,
        )
    )
    editions = list(revisions.editions_by_language(tx, campaign.id))
    of_list = mailing_lists.get(tx, campaign.mailing_list_id).language
    others = [
        one
        for one in tx.execute(tags).scalars()
        if choose_edition(one, editions, of_list).language not in campaign.languages
    ]
    yield tag.not_in(others)


def is_suppressed_on(mailing_list_id: int) -> ColumnElement[bool]:
    """Whether a suppression forbids letters of this list to the row of `subscriber`."""
    return exists(
        select(literal(1)).where(
            suppression.c.suppression_key == subscriber.c.suppression_key,
            suppression.c.mailing_list_id.in_((EVERY_LIST, mailing_list_id)),
        )
    )
