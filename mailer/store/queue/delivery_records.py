"""Single deliveries as people look them up: one letter of a campaign, and the letters of one person."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from mailer.domain.delivery import NOTICES, DeliveryState, Kind
from mailer.domain.letters.delivery_record import DeliveryRecord
from mailer.store.people_tables import subscription
from mailer.store.queue.queue_tables import campaign, delivery

_NEWEST_CAMPAIGNS = 200
"""So many are searched for one person's letters."""


def find(tx: Connection, campaign_id: int, subscription_id: int) -> DeliveryRecord | None:
    """The letter of a campaign to a subscription; None where it was not in the audience."""
    if campaign_id == NOTICES:
        return None
    theirs = (delivery.c.campaign_id == campaign_id, delivery.c.campaign_id != NOTICES)
    row = tx.execute(_records().where(*theirs, delivery.c.subscription_id == subscription_id)).one_or_none()
    return None if row is None else _record_from_row(row)


def list_for_subscriber(
    tx: Connection, subscriber_id: int, mailing_list_ids: Collection[int] | None
) -> list[DeliveryRecord]:
    """A person's letters of the newest campaigns of these lists (None: of all), the newest first."""
    theirs = select(subscription.c.id, subscription.c.mailing_list_id).where(
        subscription.c.subscriber_id == subscriber_id
    )
    lists = {
        number: list_id
        for number, list_id in tx.execute(theirs)
        if mailing_list_ids is None or list_id in mailing_list_ids
    }
    newest = (
        select(campaign.c.id)
        .where(campaign.c.mailing_list_id.in_(set(lists.values())), campaign.c.launched_at.is_not(None))
        .order_by(campaign.c.id.desc())
        .limit(_NEWEST_CAMPAIGNS)
    )
    # By their ids, so that the unique index of (campaign, subscription) finds each.
    ids = list(tx.execute(newest).scalars())
    of_both = (delivery.c.campaign_id != NOTICES, delivery.c.subscription_id.in_(list(lists)))
    found = _records().where(delivery.c.campaign_id.in_(ids), *of_both).order_by(delivery.c.campaign_id.desc())
    return [_record_from_row(row) for row in tx.execute(found)]


def list_notices(
    tx: Connection, suppression_key: str, mailing_list_ids: Collection[int] | None, limit: int
) -> list[DeliveryRecord]:
    """The newest notices to a person about these lists (None: all notices), the newest first."""
    query = _records().where(delivery.c.campaign_id == NOTICES, delivery.c.suppression_key == suppression_key)
    if mailing_list_ids is not None:
        query = query.where(delivery.c.mailing_list_id.in_(mailing_list_ids))
    return [_record_from_row(row) for row in tx.execute(query.order_by(delivery.c.id.desc()).limit(limit))]


def _records() -> Select[Any]:
    own = ("id", "campaign_id", "kind", "mailing_list_id", "subscription_id", "state", "attempts", "resends", "code")
    times = ("reply", "queued_at", "dated_at", "answered_at", "revision_id")
    columns = [delivery.c[name] for name in (*own, *times)]
    joined = select(*columns, campaign.c.subject, campaign.c.launched_at)
    return joined.outerjoin_from(delivery, campaign, campaign.c.id == delivery.c.campaign_id)


def _record_from_row(row: Row[Any]) -> DeliveryRecord:
    return DeliveryRecord(
        id=row.id,
        campaign_id=row.campaign_id,
        kind=Kind(row.kind),
        subject=row.subject or "",
        mailing_list_id=row.mailing_list_id,
        subscription_id=row.subscription_id,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        resends=row.resends,
        code=row.code,
        reply=row.reply,
        queued_at=row.queued_at or row.launched_at,
        dated_at=row.dated_at,
        answered_at=row.answered_at,
        revision_id=row.revision_id,
    )
