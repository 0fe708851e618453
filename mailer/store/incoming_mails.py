"""Mail that came in: a row before we say 250, acted on afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, case, func, select, update

from mailer.domain.arrival import FLEETING, Arrival
from mailer.store.database import insert_into, insert_together
from mailer.store.tables import incoming

MOST_TRIES = 3
"""A mail whose handling broke this often is parked for people to look at."""
_AT_ONCE = 500
_FLEETING_FOR = timedelta(seconds=30)


_OF_ARRIVAL = tuple(field.name for field in fields(Arrival))


class IncomingState(StrEnum):
    """waiting -> done or kept, or parked after three crashes."""

    WAITING = "waiting"
    DONE = "done"
    KEPT = "kept"
    """It came to a return path: evidence of a bounce, kept as it came."""
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class IncomingMail:
    """One mail as it came."""

    id: int
    arrival: Arrival


def add(tx: Connection, arrivals: Sequence[Arrival], now: datetime) -> None:
    """Keep what arrived; a mail that came before, or among these, is not kept twice.

    One without a Message-ID is taken for a second try of the first within half a minute only.
    """
    if fleeting := [one.digest for one in arrivals if one.digest and one.digest.startswith(FLEETING)]:
        earlier = (incoming.c.digest.in_(fleeting), incoming.c.received_at <= now - _FLEETING_FOR)
        tx.execute(update(incoming).where(*earlier).values(digest=None))
    rows = [
        {column: getattr(one, column) for column in _OF_ARRIVAL}
        | {"recipients": list(one.recipients), "state": IncomingState.WAITING, "received_at": now}
        for one in arrivals
    ]
    insert_together(tx, insert_into(tx, incoming).on_conflict_do_nothing(index_elements=["digest"]), rows)


def take_next(tx: Connection) -> IncomingMail | None:
    """The oldest mail that waits, its try counted before it is touched; one that broke us too often is parked."""
    # The oldest first and its tries afterwards: to look for many tries would be to look at all that wait.
    oldest = select(incoming.c.id).where(incoming.c.state == IncomingState.WAITING).order_by(incoming.c.id).limit(1)
    while True:
        row = tx.execute(
            update(incoming)
            .where(incoming.c.id == oldest.scalar_subquery())
            .values(
                tries=case((incoming.c.tries < MOST_TRIES, incoming.c.tries + 1), else_=incoming.c.tries),
                state=case((incoming.c.tries < MOST_TRIES, incoming.c.state), else_=IncomingState.PARKED),
            )
            .returning(incoming.c.id, incoming.c.state, *(incoming.c[column] for column in _OF_ARRIVAL))
        ).one_or_none()
        if row is None:
            return None
        if row.state == IncomingState.WAITING:
            told = {column: getattr(row, column) for column in _OF_ARRIVAL}
            return IncomingMail(row.id, Arrival(**told | {"recipients": tuple(row.recipients)}))


def finish(tx: Connection, incoming_id: int, end: IncomingState, now: datetime) -> None:
    """It was acted on: what it said is in other rows now, and its text is forgotten unless it is kept."""
    forgotten: dict[str, Any] = {"client": None, "helo": None, "request": {}}
    if end is not IncomingState.KEPT:
        forgotten |= {"raw": b"", "spooled": None}
    tx.execute(update(incoming).where(incoming.c.id == incoming_id).values(state=end, acted_at=now, **forgotten))


def any_waiting(tx: Connection) -> bool:
    return (
        tx.execute(select(incoming.c.id).where(incoming.c.state == IncomingState.WAITING).limit(1)).first() is not None
    )


def kept(tx: Connection) -> int:
    """How many mails have come in, whatever became of them."""
    return tx.execute(select(func.count()).select_from(incoming)).scalar_one()


def waiting(tx: Connection, most: int) -> int:
    """How many mails wait, counted no further than `most`."""
    some = select(incoming.c.id).where(incoming.c.state == IncomingState.WAITING).limit(most).subquery()
    return tx.execute(select(func.count()).select_from(some)).scalar_one()


def unnamed(tx: Connection, files: Collection[str]) -> set[str]:
    """Which of these files of the spool belong to no mail."""
    given, named = list(files), set[str]()
    for start in range(0, len(given), _AT_ONCE):
        found = select(incoming.c.spooled).where(incoming.c.spooled.in_(given[start : start + _AT_ONCE]))
        named.update(tx.execute(found).scalars())
    return set(given) - named
