"""Approvals of campaigns' texts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, insert, select

from mailer.domain.accounts.actor import Actor
from mailer.domain.campaign import Campaign
from mailer.domain.draft import Approval, campaign_digest
from mailer.store import campaign_lists
from mailer.store.writing import drafts
from mailer.store.writing.draft_tables import approval

_MOST_LISTED = 50


def add(tx: Connection, campaign_id: int, actor: Actor, digest: str, now: datetime) -> None:
    """Note that somebody approves the texts that have this digest."""
    values = {"campaign_id": campaign_id, "organiser_id": actor.organiser_id, "approved_by": actor.name}
    tx.execute(insert(approval).values(digest=digest, at=now, **values))


def list_newest(tx: Connection, campaign_id: int, digest: str) -> list[Approval]:
    """The newest approvals of a campaign, the newest first; valid are those of the texts with this digest."""
    found = select(approval).where(approval.c.campaign_id == campaign_id).order_by(approval.c.id.desc())
    return [
        Approval(approved_by=row.approved_by, organiser_id=row.organiser_id, at=row.at, is_valid=row.digest == digest)
        for row in tx.execute(found.limit(_MOST_LISTED))
    ]


def is_approved(tx: Connection, campaign_id: int, digest: str, *, other_than: str) -> bool:
    """Whether somebody else than this person approved the texts that have this digest."""
    found = select(approval.c.id).where(
        approval.c.campaign_id == campaign_id, approval.c.digest == digest, approval.c.approved_by != other_than
    )
    return tx.execute(found.limit(1)).first() is not None


def list_unapproved(
    tx: Connection, mailing_list_ids: Collection[int], asked: str, limit: int
) -> list[tuple[Campaign, datetime]]:
    """The newest drafts of these lists that others than `asked` wrote last, and nobody but their last writer approved.

    With each the moment of its last change. Drafts without a subject are not asked about.
    """
    found = {one.id: one for one in campaign_lists.list_drafts(tx, mailing_list_ids, limit) if one.subject}
    texts = drafts.drafts_of_many(tx, found)
    given = select(approval.c.campaign_id, approval.c.digest, approval.c.approved_by)
    approved = {tuple(row) for row in tx.execute(given.where(approval.c.campaign_id.in_(found)))}
    unapproved = []
    for number, editions in texts.items():
        last, digest = (
            max(editions, key=lambda one: one.changed_at),
            campaign_digest({e.language: e.text for e in editions}),
        )
        by_others = any((number, digest) == one[:2] and one[2] != last.changed_by for one in approved)
        if last.changed_by != asked and not by_others:
            unapproved.append((found[number], last.changed_at))
    return sorted(unapproved, key=lambda one: one[1])
