"""Notices that wait because their letter cannot be rendered, and forwards that failed for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from mailer.domain.delivery import NOTICES, OPEN, WAITING, DeliveryState, Kind
from mailer.store.queue.queue_tables import delivery

UNWRITTEN_PREFIX = "cannot be written: "
"""How the reply of a delivery begins whose letter cannot be rendered."""


def note_unwritten(tx: Connection, delivery_id: int, why: str) -> None:
    """Note why a letter still waits, until there is a reply to it."""
    waits = (delivery.c.id == delivery_id, delivery.c.state.in_(WAITING))
    tx.execute(update(delivery).where(*waits).values(reply=UNWRITTEN_PREFIX + why))


@dataclass(frozen=True, slots=True)
class StuckNotice:
    """A notice that an administrator should look at."""

    id: int
    kind: Kind
    address: str
    why: str


def list_unwritten(tx: Connection, limit: int) -> list[StuckNotice]:
    """The oldest notices that wait because their letter cannot be rendered."""
    waits = (
        delivery.c.due_at.is_not(None),
        delivery.c.state.in_(WAITING),
        delivery.c.reply.startswith(UNWRITTEN_PREFIX),
    )
    return _list_stuck(tx, limit, *waits)


def oldest_untried(tx: Connection, but: Kind) -> datetime | None:
    """When the oldest notice was queued that waits for its first try, of any kind but one; None where none waits."""
    waits = (delivery.c.due_at.is_not(None), delivery.c.state == DeliveryState.QUEUED, delivery.c.kind != but)
    of_notices = (delivery.c.campaign_id == NOTICES, *waits)
    found = select(delivery.c.queued_at).where(*of_notices).order_by(delivery.c.due_at, delivery.c.id).limit(1)
    return tx.execute(found).scalar_one_or_none()


def list_failed_forwards(tx: Connection, since: datetime, limit: int) -> list[StuckNotice]:
    """Mails whose forwarding to an owner failed for good since then. No index serves this: use it rarely."""
    failed = (delivery.c.state == DeliveryState.FAILED, delivery.c.queued_at >= since)
    return _list_stuck(tx, limit, delivery.c.kind == Kind.FORWARDED, *failed)


def _list_stuck(tx: Connection, limit: int, *conditions: ColumnElement[bool]) -> list[StuckNotice]:
    columns = (delivery.c.id, delivery.c.kind, delivery.c.address, delivery.c.reply)
    found = select(*columns).where(delivery.c.campaign_id == NOTICES, *conditions).order_by(delivery.c.id).limit(limit)
    return [StuckNotice(row.id, Kind(row.kind), row.address, row.reply or "") for row in tx.execute(found)]


def open_causes(tx: Connection, causes: Sequence[str]) -> set[str]:
    """Which of these notices, by their causes, may still have to be rendered."""
    found = select(delivery.c.cause).where(delivery.c.cause.in_(causes), delivery.c.state.in_(OPEN))
    return set(tx.execute(found).scalars())
