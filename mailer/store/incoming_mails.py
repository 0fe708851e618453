"""Mail that came in: a row before we say 250, acted on afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select, update

from mailer.store.tables import incoming

MOST_TRIES = 3
"""A mail whose handling broke this often is parked for people to look at."""


class IncomingState(StrEnum):
    """waiting -> done or kept, or parked after three crashes."""

    WAITING = "waiting"
    DONE = "done"
    KEPT = "kept"
    """It came to a return path: evidence of a bounce, kept as it came."""
    PARKED = "parked"


@dataclass(frozen=True, kw_only=True, slots=True)
class IncomingMail:
    """One mail as it came."""

    id: int
    sender: str
    """Envelope sender; "" for the null one."""
    recipients: tuple[str, ...]
    raw: bytes


def add(tx: Connection, sender: str, recipients: Sequence[str], raw: bytes, now: datetime) -> int:
    """Keep a mail; its id."""
    row = {"sender": sender, "recipients": list(recipients), "raw": raw, "received_at": now}
    return tx.execute(insert(incoming).values(state=IncomingState.WAITING, **row).returning(incoming.c.id)).scalar_one()


def take_next(tx: Connection) -> IncomingMail | None:
    """The oldest mail that waits, its try counted before it is touched; one that broke us too often is parked."""
    tx.execute(
        update(incoming)
        .where(incoming.c.state == IncomingState.WAITING, incoming.c.tries >= MOST_TRIES)
        .values(state=IncomingState.PARKED)
    )
    oldest = select(incoming.c.id).where(incoming.c.state == IncomingState.WAITING).order_by(incoming.c.id).limit(1)
    row = tx.execute(
        update(incoming)
        .where(incoming.c.id == oldest.scalar_subquery())
        .values(tries=incoming.c.tries + 1)
        .returning(incoming.c.id, incoming.c.sender, incoming.c.recipients, incoming.c.raw)
    ).one_or_none()
    if row is None:
        return None
    return IncomingMail(id=row.id, sender=row.sender, recipients=tuple(row.recipients), raw=row.raw)


def finish(tx: Connection, incoming_id: int, end: IncomingState, now: datetime) -> None:
    """It was acted on: what it said is in other rows now, and its text is forgotten unless it is kept."""
    forgotten = {} if end is IncomingState.KEPT else {"raw": b""}
    tx.execute(update(incoming).where(incoming.c.id == incoming_id).values(state=end, acted_at=now, **forgotten))


def any_waiting(tx: Connection) -> bool:
    return (
        tx.execute(select(incoming.c.id).where(incoming.c.state == IncomingState.WAITING).limit(1)).first() is not None
    )
