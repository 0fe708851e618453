"""Mail that came in: a row before we say 250, acted on afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Row, case, func, or_, select, update

from mailer.domain.incoming_message import FLEETING, Arrival
from mailer.errors import NotFound
from mailer.store.database import insert_into, insert_together
from mailer.store.people_tables import incoming

MOST_TRIES = 3
"""A mail whose handling broke this often is parked for people to look at."""
_AT_ONCE = 500
_FLEETING_FOR = timedelta(seconds=30)


_OF_ARRIVAL = tuple(field.name for field in fields(Arrival))


class IncomingState(StrEnum):
    """waiting -> done, carried or kept, or parked after three crashes."""

    WAITING = "waiting"
    DONE = "done"
    CARRIED = "carried"
    """It goes to an owner, wrapped into a letter of ours: kept for as long as that may take."""
    KEPT = "kept"
    """Nothing was done for it that it asked for: kept for a week, for people to look at."""
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


def take(tx: Connection, most: int, uncounted: Collection[int] = ()) -> list[IncomingMail]:
    """The oldest mails that wait, their tries counted before they are touched; who broke us too often is parked.

    Up to `most` that were never tried; one that was is taken alone, so that no other mail suffers for it, and so is
    a large one. The last try of those `uncounted` does not count: it was the database that failed.
    """
    tries = incoming.c.tries
    waits = incoming.c.state == IncomingState.WAITING
    if uncounted:
        tx.execute(update(incoming).where(incoming.c.id.in_(uncounted), waits, tries > 0).values(tries=tries - 1))
    alone = or_(tries > 0, incoming.c.spooled.is_not(None)).label("alone")
    oldest = list(tx.execute(select(incoming.c.id, alone).where(waits).order_by(incoming.c.id).limit(most)))
    taken = [row.id for row in takewhile(lambda row: not row.alone, oldest)] or [row.id for row in oldest[:1]]
    parked = {"state": case((tries < MOST_TRIES, incoming.c.state), else_=IncomingState.PARKED)}
    counted = {"tries": case((tries < MOST_TRIES, tries + 1), else_=tries)}
    changed = update(incoming).where(incoming.c.id.in_(taken), waits).values(parked | counted)
    rows = tx.execute(changed.returning(incoming.c.id, incoming.c.state, *(incoming.c[name] for name in _OF_ARRIVAL)))
    found = [_value(row) for row in rows if row.state == IncomingState.WAITING]
    return sorted(found, key=lambda mail: mail.id)


def octets(tx: Connection, incoming_id: int) -> bytes:
    """Of a mail that was acted on and is still kept; NotFound."""
    row = tx.execute(select(incoming.c.raw).where(incoming.c.id == incoming_id)).one_or_none()
    if row is None or not row.raw:
        raise NotFound(f"mail {incoming_id} is not kept any more")
    return row.raw


def keep_octets(tx: Connection, incoming_id: int, raw: bytes) -> None:
    """What the mail consists of stands in its row from now on: a letter that carries it may be written at any time."""
    tx.execute(update(incoming).where(incoming.c.id == incoming_id, incoming.c.raw != raw).values(raw=raw))


def finish(tx: Connection, incoming_id: int, end: IncomingState, raw: bytes, now: datetime) -> None:
    """It was acted on: what it said is in other rows now, and its text is forgotten unless it is kept.

    What is kept stands in the row from now on, and not in the spool of the machine that took it in.
    """
    kept = raw if end in {IncomingState.KEPT, IncomingState.CARRIED} else b""
    forgotten: dict[str, Any] = {
        "client": None,
        "helo": None,
        "mailbox": None,
        "request": {},
        "raw": kept,
        "spooled": None,
    }
    tx.execute(update(incoming).where(incoming.c.id == incoming_id).values(state=end, acted_at=now, **forgotten))


def any_waiting(tx: Connection) -> bool:
    return (
        tx.execute(select(incoming.c.id).where(incoming.c.state == IncomingState.WAITING).limit(1)).first() is not None
    )


def number_in(tx: Connection, state: IncomingState) -> int:
    return tx.execute(select(func.count()).select_from(incoming).where(incoming.c.state == state)).scalar_one()


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


def _value(row: Row[tuple[object, ...]]) -> IncomingMail:
    told = {column: getattr(row, column) for column in _OF_ARRIVAL}
    return IncomingMail(row.id, Arrival(**told | {"recipients": tuple(row.recipients)}))
