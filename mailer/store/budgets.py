"""The budgets: what may be spent of a limit, leased in small parts, so that it holds over all nodes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from mailer.domain.limits import Grant, Limits
from mailer.store.database import insert_into
from mailer.store.queue_tables import budget

_HORIZON_S = 1.0
"""How far ahead a lease reaches: what dies with its holder is not more than a second's worth."""
_SECOND = 1


def lease(tx: Connection, spender: str, limits: Limits, most: int, now: datetime, *, kept: float = 0.0) -> Grant:
    """Up to `most` letters of the spender's limits; none where they are spent, and then `first_at` says until when.

    `kept` is the part of each limit that is left for others (notices).
    """
    for span_s, limit in limits.windows(now).items():
        began = _window(now, span_s)
        left = int(limit * (1 - kept)) - _spent(tx, spender, span_s, began)
        if left <= 0:
            return Grant(letters=0, first_at=began + timedelta(seconds=span_s), every_s=0.0)
        most = min(most, left)
    grant = Grant(letters=most, first_at=now, every_s=0.0)
    if limits.per_second is not None:
        grant = _slots(tx, spender, limits.per_second * (1 - kept), most, now)
    for span_s in limits.windows(now):
        began = _window(now, span_s)
        _write(tx, spender, span_s, began, _spent(tx, spender, span_s, began) + grant.letters)
    return grant


def _slots(tx: Connection, spender: str, rate: float, most: int, now: datetime) -> Grant:
    """Moments `1 / rate` seconds apart, of which nobody else has one."""
    free_from = max(_at(tx, spender, _SECOND) or now, now)
    ahead_s = (free_from - now).total_seconds()
    if ahead_s > _HORIZON_S:
        return Grant(letters=0, first_at=free_from, every_s=1 / rate)
    letters = min(most, max(1, int((_HORIZON_S - ahead_s) * rate)))
    grant = Grant(letters=letters, first_at=free_from, every_s=1 / rate)
    _write(tx, spender, _SECOND, grant.next_after(), 0)
    return grant


def _window(now: datetime, span_s: int) -> datetime:
    return datetime.fromtimestamp(now.timestamp() // span_s * span_s, tz=UTC)


def _at(tx: Connection, spender: str, span_s: int) -> datetime | None:
    found = select(budget.c.at).where(budget.c.spender == spender, budget.c.span_s == span_s).with_for_update()
    return tx.execute(found).scalar_one_or_none()


def _spent(tx: Connection, spender: str, span_s: int, began: datetime) -> int:
    found = select(budget.c.spent).where(budget.c.spender == spender, budget.c.span_s == span_s, budget.c.at == began)
    return tx.execute(found.with_for_update()).scalar_one_or_none() or 0


def _write(tx: Connection, spender: str, span_s: int, at: datetime, spent: int) -> None:
    values = {"at": at, "spent": spent}
    statement = insert_into(tx, budget).values(spender=spender, span_s=span_s, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["spender", "span_s"], set_=values))
