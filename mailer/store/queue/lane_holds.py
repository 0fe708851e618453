"""Lane holds: lanes and relays to which nothing is sent for a while, and why; all processes follow them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from mailer.store.inserts import insert_into
from mailer.store.queue.queue_tables import hold


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Nothing is sent to a lane until a time."""

    lane: str
    """A destination domain, or "relay host:port"."""
    until: datetime
    reason: str


def set_hold(tx: Connection, hold_until: Hold, now: datetime) -> None:
    """Hold a lane; replaces an earlier hold."""
    values = {"until": hold_until.until, "reason": hold_until.reason}
    statement = insert_into(tx, hold).values(lane=hold_until.lane, since=now, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["lane"], set_=values))


def lift_hold(tx: Connection, lane: str) -> None:
    """Allow sending to the lane again."""
    tx.execute(delete(hold).where(hold.c.lane == lane))


def holds_by_lane(tx: Connection) -> dict[str, Hold]:
    """All holds by lane, expired ones too: such a lane is tried with a single letter first."""
    found = tx.execute(select(hold.c.lane, hold.c.until, hold.c.reason).order_by(hold.c.lane))
    return {row.lane: Hold(lane=row.lane, until=row.until, reason=row.reason) for row in found}
