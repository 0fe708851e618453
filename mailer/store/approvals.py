"""Approvals of campaigns' texts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from mailer.domain.actor import Actor
from mailer.domain.draft import Approval
from mailer.store.draft_tables import approval

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
