"""The holds: lanes and relays to which nothing goes for a while, and why; all nodes heed them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from mailer.store.inserts import insert_into
from mailer.store.queue.queue_tables import hold


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Nothing goes to a lane until an hour."""

    lane: str
    """A destination domain, or "relay host:port"."""
    until: datetime
    reason: str


def set_hold(tx: Connection, hold_until: Hold, now: datetime) -> None:
    """Hold a lane; a later word about it counts."""
    values = {"until": hold_until.until, "reason": hold_until.reason}
    statement = insert_into(tx, hold).values(lane=hold_until.lane, since=now, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["lane"], set_=values))


def lift_hold(tx: Connection, lane: str) -> None:
    """Letters go there again."""
    tx.execute(delete(hold).where(hold.c.lane == lane))


def holds_by_lane(tx: Connection) -> dict[str, Hold]:
    """All holds by lane, those among them whose hour has passed: their lanes are tried with a single letter first."""
    found = tx.execute(select(hold.c.lane, hold.c.until, hold.c.reason).order_by(hold.c.lane))
    return {row.lane: Hold(lane=row.lane, until=row.until, reason=row.reason) for row in found}
