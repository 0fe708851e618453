"""Bounces and complaints: one row for each letter, kind and severity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select, text, update

from mailer.domain.bounce import BounceReason, FeedbackKind, RecipientBounce, Severity
from mailer.domain.bounce_rules import BOUNCE_MEMORY, PastBounce
from mailer.domain.delivery import NOTICES, DeliveryState, Kind
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.store.inserts import insert_into
from mailer.store.people_tables import returned, subscriber, subscription
from mailer.store.queue.queue_tables import campaign, delivery

_LIMIT = 200
"""Maximum number of a reader's rows to look at, and of campaigns to search for a letter; the newest."""
_MAX_STATUS_LENGTH, _MAX_COMPLAINT_LENGTH = 16, 40


@dataclass(frozen=True, kw_only=True, slots=True)
class SentLetter:
    """A letter of ours, and whom it went to."""

    id: int
    campaign_id: int
    kind: Kind
    mailing_list_id: int | None
    subscription_id: int | None
    subscriber_id: int | None
    """None where it was about no subscription, or the subscription is gone."""
    address: str
    """Empty where it was erased."""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()


def load_letters(tx: Connection, delivery_ids: Iterable[int]) -> dict[int, SentLetter]:
    """Those of these letters that we know, by id."""
    columns = (delivery.c.id, delivery.c.campaign_id, delivery.c.kind, delivery.c.mailing_list_id)
    found = (
        select(*columns, delivery.c.subscription_id, subscription.c.subscriber_id, delivery.c.address)
        .add_columns(subscriber.c.address.label("reader"))
        .outerjoin_from(delivery, subscription, subscription.c.id == delivery.c.subscription_id)
        .outerjoin(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .where(delivery.c.id.in_(list(delivery_ids)))
    )
    return {
        row.id: SentLetter(
            id=row.id,
            campaign_id=row.campaign_id,
            kind=Kind(row.kind),
            mailing_list_id=row.mailing_list_id,
            subscription_id=row.subscription_id,
            subscriber_id=row.subscriber_id,
            address=(row.address if row.address is not None else row.reader) or "",
        )
        for row in tx.execute(found)
    }


def find_letters_to(
    tx: Connection, address_key: str, suppression_key: str, since: datetime, until: datetime
) -> list[int]:
    """The ids of letters that went to one address between two times, the newest first."""
    recent = select(campaign.c.id).where(campaign.c.launched_at >= since).order_by(campaign.c.id.desc())
    theirs = select(subscription.c.id).join(subscriber).where(subscriber.c.address_key == address_key)
    went = (delivery.c.dated_at.is_not(None), delivery.c.dated_at.between(since, until))
    of_campaigns = select(delivery.c.id, delivery.c.dated_at).where(
        delivery.c.campaign_id.in_(list(tx.execute(recent.limit(_LIMIT)).scalars())),
        text("campaign_id <> 0"),
        delivery.c.subscription_id.in_(list(tx.execute(theirs).scalars())),
        *went,
    )
    # Written out, so that SQLite uses the partial index of notices.
    notices = select(delivery.c.id, delivery.c.dated_at).where(
        text("campaign_id = 0"), delivery.c.suppression_key == suppression_key, *went
    )
    found = [*tx.execute(of_campaigns), *tx.execute(notices)]
    return [row.id for row in sorted(found, key=lambda row: (row.dated_at, row.id), reverse=True)]


def add(tx: Connection, feedback: DeliveryFeedback, letter: SentLetter, bounce: RecipientBounce, at: datetime) -> bool:
    """Record feedback about a letter; returns whether it is new."""
    statement = insert_into(tx, returned).values(
        delivery_id=letter.id,
        campaign_id=letter.campaign_id,
        letter=letter.kind,
        mailing_list_id=letter.mailing_list_id,
        subscription_id=letter.subscription_id,
        subscriber_id=letter.subscriber_id,
        domain=letter.domain,
        kind=feedback.kind,
        weight=bounce.severity,
        reason=bounce.reason,
        status=(bounce.status or "")[:_MAX_STATUS_LENGTH] or None,
        diagnostic=bounce.diagnostic,
        complaint=(feedback.complaint or "")[:_MAX_COMPLAINT_LENGTH] or None,
        way=feedback.channel,
        at=at,
    )
    return bool(tx.execute(statement.on_conflict_do_nothing()).rowcount)


def list_recent_bounces(tx: Connection, subscriber_id: int, mailing_list_id: int, now: datetime) -> list[PastBounce]:
    """The bounces of a reader on a list in the period that counts, except those undone."""
    found = (
        select(returned.c.delivery_id, returned.c.letter, returned.c.weight, returned.c.at)
        .where(
            returned.c.subscriber_id == subscriber_id,
            returned.c.at > now - BOUNCE_MEMORY,
            returned.c.mailing_list_id == mailing_list_id,
            returned.c.kind == FeedbackKind.BOUNCE,
            returned.c.weight.in_((Severity.HARD, Severity.SOFT)),
            returned.c.undone_at.is_(None),
        )
        .order_by(returned.c.at.desc())
        .limit(_LIMIT)
    )
    return [
        PastBounce(delivery_id=row.delivery_id, letter_kind=Kind(row.letter), severity=Severity(row.weight), at=row.at)
        for row in tx.execute(found)
    ]


def last_delivered_at(
    tx: Connection, subscription_id: int, mailing_list_id: int, since: datetime, before: datetime
) -> datetime | None:
    """When the last of a list's letters to a reader between two times was accepted and did not bounce, or None."""
    recent = select(campaign.c.id).where(
        campaign.c.mailing_list_id == mailing_list_id, campaign.c.launched_at >= since, campaign.c.launched_at < before
    )
    newest = recent.order_by(campaign.c.id.desc()).limit(_LIMIT)
    bounced = select(returned.c.delivery_id).where(returned.c.kind == FeedbackKind.BOUNCE)
    arrived = select(func.max(delivery.c.answered_at)).where(
        delivery.c.campaign_id.in_(list(tx.execute(newest).scalars())),
        delivery.c.campaign_id != NOTICES,
        delivery.c.subscription_id == subscription_id,
        delivery.c.state == DeliveryState.ACCEPTED,
        delivery.c.answered_at < before,
        ~bounced.where(returned.c.delivery_id == delivery.c.id).exists(),
    )
    return tx.execute(arrived).scalar_one()


def set_probed_at(tx: Connection, subscription_id: int, now: datetime | None) -> None:
    """Record when a probe was sent for a subscription; None: never."""
    tx.execute(update(subscription).where(subscription.c.id == subscription_id).values(probed_at=now))


def undo_bounces(tx: Connection, subscriber_id: int, mailing_list_id: int, now: datetime) -> int:
    """Undo a reader's bounces on this list, and hard ones on any, so that they do not count; returns how many."""
    undone = update(returned).where(
        returned.c.subscriber_id == subscriber_id,
        or_(returned.c.mailing_list_id == mailing_list_id, returned.c.weight == Severity.HARD),
        returned.c.undone_at.is_(None),
    )
    return tx.execute(undone.values(undone_at=now)).rowcount


@dataclass(frozen=True, kw_only=True, slots=True)
class BounceRecord:
    """A bounce or complaint about one letter."""

    at: datetime
    mailing_list_id: int | None
    campaign_id: int
    """0 for a notice."""
    letter: Kind
    kind: FeedbackKind
    severity: Severity
    reason: BounceReason
    status: str | None
    complaint: str | None
    channel: str
    """How it came: "mail", "smtp", or the name of a provider."""
    diagnostic: str
    is_undone: bool
    """Whether it does not count any more."""


def list_for_subscriber(tx: Connection, subscriber_id: int) -> list[BounceRecord]:
    """All bounces and complaints of one person, oldest first."""
    found = select(returned).where(returned.c.subscriber_id == subscriber_id).order_by(returned.c.at, returned.c.id)
    return [
        BounceRecord(
            at=row.at,
            mailing_list_id=row.mailing_list_id,
            campaign_id=row.campaign_id,
            letter=Kind(row.letter),
            kind=FeedbackKind(row.kind),
            severity=Severity(row.weight),
            reason=BounceReason(row.reason),
            status=row.status,
            complaint=row.complaint,
            channel=row.way,
            diagnostic=row.diagnostic,
            is_undone=row.undone_at is not None,
        )
        for row in tx.execute(found)
    ]


@dataclass(frozen=True, slots=True)
class FeedbackCount:
    """How much feedback of one sort a campaign has from one provider."""

    domain: str
    kind: FeedbackKind
    severity: Severity
    reason: BounceReason
    number: int


def count_for_campaign(tx: Connection, campaign_id: int) -> list[FeedbackCount]:
    """All feedback on a campaign's letters, counted; the most first."""
    what = (returned.c.domain, returned.c.kind, returned.c.weight, returned.c.reason)
    counted = select(*what, func.count().label("number")).where(returned.c.campaign_id == campaign_id).group_by(*what)
    found = tx.execute(counted.order_by(func.count().desc(), *what))
    return [
        FeedbackCount(row[0], FeedbackKind(row[1]), Severity(row[2]), BounceReason(row[3]), row[4]) for row in found
    ]
