"""Rate budgets: shares of a rate limit, leased in small parts, so that a limit holds over all processes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select, update

from mailer.domain.rate_limits import Limits, RateLease
from mailer.store.inserts import insert_into
from mailer.store.queue.queue_tables import budget

_LEASE_AHEAD_S = 1.0
"""How far ahead a lease reaches: a process that dies wastes at most a second's worth."""
_SECOND = 1


def lease(
    tx: Connection, spender: str, limits: Limits, count: int, now: datetime, *, reserved_share: float = 0.0
) -> RateLease:
    """Lease up to `count` letters of the spender's limits; none where they are used up, then until `first_at`.

    `reserved_share` is the part of each limit that is left for others (notices), rounded down.
    """
    for span_s, limit in limits.windows(now).items():
        began, spent = _current_window(tx, spender, span_s, now)
        left = limit - int(limit * reserved_share) - spent
        if left <= 0:
            return RateLease(letters=0, first_at=began + timedelta(seconds=span_s), every_s=0.0)
        count = min(count, left)
    grant = RateLease(letters=count, first_at=now, every_s=0.0)
    if limits.per_second is not None:
        grant = _lease_slots(tx, spender, limits.per_second * (1 - reserved_share), count, now)
    for span_s in limits.windows(now):
        began, spent = _current_window(tx, spender, span_s, now)
        _save_budget(tx, spender, span_s, began, spent + grant.letters)
    return grant


def _lease_slots(tx: Connection, spender: str, rate: float, count: int, now: datetime) -> RateLease:
    """Lease send times `1 / rate` seconds apart, of which no other process has one."""
    free_from = max(_lock_budget(tx, spender, _SECOND, now)[0], now)
    ahead_s = (free_from - now).total_seconds()
    if ahead_s > _LEASE_AHEAD_S:
        return RateLease(letters=0, first_at=free_from, every_s=1 / rate)
    letters = min(count, max(1, int((_LEASE_AHEAD_S - ahead_s) * rate)))
    grant = RateLease(letters=letters, first_at=free_from, every_s=1 / rate)
    _save_budget(tx, spender, _SECOND, grant.next_after(), 0)
    return grant


def _current_window(tx: Connection, spender: str, span_s: int, now: datetime) -> tuple[datetime, int]:
    """When the window of `now` began (or a later one, by another machine's clock), and what is spent of it."""
    began = datetime.fromtimestamp(now.timestamp() // span_s * span_s, tz=UTC)
    at, spent = _lock_budget(tx, spender, span_s, began)
    return (at, spent) if at >= began else (began, 0)


def _lock_budget(tx: Connection, spender: str, span_s: int, at: datetime) -> tuple[datetime, int]:
    """What is stored for a budget (`at` and 0 where it is new); nobody else can lease from it until the commit."""
    found = select(budget.c.at, budget.c.spent).where(budget.c.spender == spender, budget.c.span_s == span_s)
    row = tx.execute(found.with_for_update()).one_or_none()
    if row is None:
        made = insert_into(tx, budget).values(spender=spender, span_s=span_s, at=at, spent=0)
        tx.execute(made.on_conflict_do_nothing())
        row = tx.execute(found.with_for_update()).one()
    return row.at, row.spent


def _save_budget(tx: Connection, spender: str, span_s: int, at: datetime, spent: int) -> None:
    mine = update(budget).where(budget.c.spender == spender, budget.c.span_s == span_s)
    tx.execute(mine.values(at=at, spent=spent))
