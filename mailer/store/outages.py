"""The effects of an outage of a provider: whose letters bounced during it, and who got none since."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from mailer.domain.bounce import FeedbackKind, Severity
from mailer.domain.outage import Outage
from mailer.domain.subscription import Subscription
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.store import subscriptions
from mailer.store.people_tables import returned, subscriber, subscription, suppression


def list_affected(tx: Connection, outage: Outage, after: int, limit: int) -> dict[int, str]:
    """The next people, id -> suppression key, whose letters bounced then or who were suppressed for that."""
    bounced = select(returned.c.subscriber_id).where(*_bounce_conditions(outage))
    suppressed = select(suppression.c.suppression_key).where(*_suppression_conditions(outage))
    affected = [subscriber.c.id.in_(bounced)]
    if outage.reason is None:
        affected.append(subscriber.c.suppression_key.in_(suppressed))
    found = select(subscriber.c.id, subscriber.c.suppression_key).where(
        subscriber.c.id > after, subscriber.c.address != "", or_(*affected)
    )
    if outage.provider is not None:
        found = found.where(subscriber.c.address_key.endswith(f"@{outage.provider}", autoescape=True))
    return {row.id: row.suppression_key for row in tx.execute(found.order_by(subscriber.c.id).limit(limit))}


def lift_suppressions(tx: Connection, outage: Outage, suppression_key: str) -> list[int]:
    """Lift a person's suppressions for bounces of that time; returns the lists (EVERY_LIST: all) they were for."""
    gone = delete(suppression).where(suppression.c.suppression_key == suppression_key, *_suppression_conditions(outage))
    return sorted(tx.execute(gone.returning(suppression.c.mailing_list_id)).scalars())


def undo_bounces(tx: Connection, outage: Outage, subscriber_id: int, now: datetime) -> int:
    """Mark a person's bounces of that time as undone, so that they do not count; returns how many."""
    undone = update(returned).where(returned.c.subscriber_id == subscriber_id, *_bounce_conditions(outage))
    return tx.execute(undone.values(undone_at=now)).rowcount


def subscriptions_of(tx: Connection, subscriber_id: int, mailing_list_id: int | None = None) -> list[Subscription]:
    """A person's subscriptions, or only the one to this list."""
    theirs = select(subscription.c.id).where(subscription.c.subscriber_id == subscriber_id)
    if mailing_list_id is not None:
        theirs = theirs.where(subscription.c.mailing_list_id == mailing_list_id)
    return [subscriptions.get(tx, number) for number in tx.execute(theirs.order_by(subscription.c.id)).scalars()]


def _bounce_conditions(outage: Outage) -> list[ColumnElement[bool]]:
    then = [
        returned.c.kind == FeedbackKind.BOUNCE,
        returned.c.weight.in_((Severity.HARD, Severity.SOFT)),
        returned.c.at >= outage.since,
        returned.c.at < outage.until,
        returned.c.undone_at.is_(None),
        returned.c.subscriber_id.is_not(None),
    ]
    if outage.reason is not None:
        then.append(returned.c.reason == outage.reason)
    if outage.mailing_list_id is not None:
        then.append(returned.c.mailing_list_id == outage.mailing_list_id)
    return then


def _suppression_conditions(outage: Outage) -> list[ColumnElement[bool]]:
    then = [
        suppression.c.reason == SuppressionReason.BOUNCED,
        suppression.c.created_at >= outage.since,
        suppression.c.created_at < outage.until,
    ]
    if outage.mailing_list_id is not None:
        then.append(suppression.c.mailing_list_id.in_((EVERY_LIST, outage.mailing_list_id)))
    return then
