"""The texts of a campaign for an export, and a letter of each."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from mailer.domain.delivery import NOTICES
from mailer.store.people_tables import subscriber
from mailer.store.queue.queue_tables import delivery, edition, revision


@dataclass(frozen=True, kw_only=True, slots=True)
class RevisionText:
    """One state of an edition's text with which letters were, or may have been, written."""

    id: int
    language: str
    manuscript: str


def list_revisions(tx: Connection, campaign_id: int) -> list[RevisionText]:
    """The revisions of a campaign but for those of tests, oldest first."""
    query = select(revision.c.id, edition.c.language, revision.c.manuscript).join_from(revision, edition)
    query = query.where(edition.c.campaign_id == campaign_id, ~revision.c.is_trial)
    return [RevisionText(**row._mapping) for row in tx.execute(query.order_by(revision.c.id))]


def find_sample(tx: Connection, campaign_id: int, revision_id: int) -> int | None:
    """The id of the first delivery that was handed with this text, and whose reader is not erased."""
    query = select(delivery.c.id).join_from(delivery, subscriber, subscriber.c.id == delivery.c.subscriber_id)
    query = query.where(
        delivery.c.campaign_id == campaign_id,
        delivery.c.campaign_id != NOTICES,
        delivery.c.revision_id == revision_id,
        delivery.c.dated_at.is_not(None),
        subscriber.c.address != "",
    )
    return tx.execute(query.order_by(delivery.c.subscription_id).limit(1)).scalar_one_or_none()
