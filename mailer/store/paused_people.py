"""Pauses that end by themselves, at the hour that somebody chose in other software."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, or_, select

from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.store.people_tables import subscriber, subscription, suppression


@dataclass(frozen=True, slots=True)
class EndedPause:
    """A pause that is over, of one subscription."""

    subscription_id: int
    until: datetime


def end_due(tx: Connection, now: datetime, limit: int) -> tuple[int, list[EndedPause]]:
    """Lift up to `limit` pauses whose end has come, the earliest first; returns how many, and whose they were.

    A pause of somebody who has no subscription is lifted, too.
    """
    due = (suppression.c.reason == SuppressionReason.PAUSED, suppression.c.until <= now)
    columns = (suppression.c.suppression_key, suppression.c.mailing_list_id, suppression.c.until)
    found = tx.execute(select(*columns).where(*due).order_by(suppression.c.until).limit(limit)).all()
    ended = []
    for key, list_id, until in found:
        this = (suppression.c.suppression_key == key, suppression.c.mailing_list_id == list_id)
        if not tx.execute(delete(suppression).where(*this, *due)).rowcount:
            continue  # another process was quicker
        of_pause = or_(list_id == EVERY_LIST, subscription.c.mailing_list_id == list_id)
        theirs = select(subscription.c.id).join_from(subscription, subscriber)
        paused = tx.execute(
            theirs.where(and_(subscriber.c.suppression_key == key, of_pause)).order_by(subscription.c.id)
        )
        ended += [EndedPause(number, until) for number in paused.scalars()]
    return len(found), ended
