"""What came of a campaign's letters: reasons of bounces, what happened by hour, and the campaigns before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    String,
    cast,
    func,
    literal,
    select,
    union_all,
)

from mailer.domain.bounce import BounceReason, FeedbackKind, Severity
from mailer.domain.campaign import Campaign
from mailer.domain.consent import ConsentAct
from mailer.store.campaigns import campaign_from_row
from mailer.store.people_tables import consent, returned
from mailer.store.queue.queue_tables import campaign, delivery

MOST_BOUNCES = 20_000
"""So many bounces of a campaign are grouped by their reason, at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BounceGroup:
    """The bounces of a campaign for one reason."""

    severity: Severity
    reason: BounceReason
    number: int
    example: str
    """What a mail server said about one of them; it may hold the reader's address."""


def next_due_at(tx: Connection, campaign_id: int) -> datetime | None:
    """When the first of a campaign's deferred letters is due; None where none is."""
    due = select(delivery.c.due_at).where(delivery.c.campaign_id == campaign_id, delivery.c.due_at.is_not(None))
    return tx.execute(due.order_by(delivery.c.due_at).limit(1)).scalar_one_or_none()


def group_bounces(tx: Connection, campaign_id: int) -> list[BounceGroup]:
    """A campaign's bounces by severity and reason, the most frequent first; of MOST_BOUNCES at most."""
    some = (
        select(returned.c.weight, returned.c.reason, returned.c.diagnostic)
        .where(returned.c.campaign_id == campaign_id, returned.c.kind == FeedbackKind.BOUNCE)
        .limit(MOST_BOUNCES)
        .subquery()
    )
    what = (some.c.weight, some.c.reason)
    number = func.count().label("number")
    found = tx.execute(select(*what, number, func.max(some.c.diagnostic).label("example")).group_by(*what))
    groups = (
        BounceGroup(
            severity=Severity(row.weight), reason=BounceReason(row.reason), number=row.number, example=row.example
        )
        for row in found
    )
    return sorted(groups, key=lambda one: (-one.number, one.severity, one.reason))


@dataclass(frozen=True, kw_only=True, slots=True)
class HourCount:
    """What happened in one hour after a launch."""

    hour: int
    """0 is the hour that begins with the launch."""
    what: str
    """"left", or a FeedbackKind."""
    number: int


def count_by_hour(
    tx: Connection, campaign_id: int, mailing_list_id: int, since: datetime, hours: int
) -> list[HourCount]:
    """Bounces and complaints of a campaign, and people who left its list, for each of so many hours since then."""
    until = since + timedelta(hours=hours)
    left = _hour_after(tx, consent.c.at, since).label("hour")
    leaves = select(left, literal("left", String).label("what"), func.count().label("number")).where(
        consent.c.mailing_list_id == mailing_list_id,
        consent.c.at >= since,
        consent.c.at < until,
        consent.c.act == ConsentAct.LEFT,
    )
    came = _hour_after(tx, returned.c.at, since).label("hour")
    feedback = select(came, returned.c.kind.label("what"), func.count().label("number")).where(
        returned.c.campaign_id == campaign_id,
        returned.c.kind.in_((FeedbackKind.BOUNCE, FeedbackKind.COMPLAINT)),
        returned.c.at >= since,
        returned.c.at < until,
    )
    both = union_all(leaves.group_by(left), feedback.group_by(came, returned.c.kind)).subquery()
    found = tx.execute(select(both.c.hour, both.c.what, both.c.number).order_by(both.c.hour, both.c.what))
    return [HourCount(hour=row.hour, what=row.what, number=row.number) for row in found]


def _hour_after(tx: Connection, at: Column[datetime], since: datetime) -> ColumnElement[int]:
    """The number of whole hours between two times, in SQL."""
    seconds = func.strftime("%s", at) if tx.dialect.name == "sqlite" else func.floor(func.extract("epoch", at))
    return (cast(seconds, Integer) - int(since.timestamp())) // 3600


def list_launched_before(tx: Connection, this: Campaign, limit: int) -> list[Campaign]:
    """The last campaigns of a campaign's list that were launched before it, newest first."""
    found = select(campaign).where(
        campaign.c.id < this.id,
        campaign.c.mailing_list_id == this.mailing_list_id,
        campaign.c.launched_at.is_not(None),
    )
    return [campaign_from_row(row) for row in tx.execute(found.order_by(campaign.c.id.desc()).limit(limit))]


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What a campaign did to its list."""

    left: int = 0
    """People who left within some hours of the launch."""
    complaints: int = 0


def count_aftermath(
    tx: Connection, mailing_list_id: int, launches: Mapping[int, datetime], hours: int
) -> dict[int, Aftermath]:
    """Who left a list within so many hours after each of these launches, and complaints of each, by campaign."""
    if not launches:
        return {}
    left = [
        select(literal(campaign_id).label("campaign_id"), literal("left").label("what"), func.count().label("number"))
        .select_from(consent)
        .where(
            consent.c.mailing_list_id == mailing_list_id,
            consent.c.at >= since,
            consent.c.at < since + timedelta(hours=hours),
            consent.c.act == ConsentAct.LEFT,
        )
        for campaign_id, since in launches.items()
    ]
    complaints = select(returned.c.campaign_id, literal("complaints").label("what"), func.count().label("number"))
    complaints = complaints.where(
        returned.c.campaign_id.in_(list(launches)), returned.c.kind == FeedbackKind.COMPLAINT
    ).group_by(returned.c.campaign_id)
    found = {(row.campaign_id, row.what): row.number for row in tx.execute(union_all(*left, complaints))}
    return {one: Aftermath(found.get((one, "left"), 0), found.get((one, "complaints"), 0)) for one in launches}
