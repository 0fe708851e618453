"""Incoming mail: a row is committed before the client is told 250, and processed afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Row, case, func, or_, select, update

from mailer.domain.incoming_message import NO_MESSAGE_ID, IncomingMessage
from mailer.errors import NotFound
from mailer.store.inserts import insert_into, insert_multirow
from mailer.store.notify import Wakeup, notify_own_process
from mailer.store.people_tables import incoming

MAX_TRIES = 3
"""A mail whose processing crashed this often is parked for administrators."""
_FILES_PER_QUERY = 500
_RETRY_WINDOW = timedelta(seconds=30)


_COLUMN_OF_FIELD = {"spool_name": "spooled", "form": "request"}
_MESSAGE_COLUMNS = {_COLUMN_OF_FIELD.get(field.name, field.name): field.name for field in fields(IncomingMessage)}
"""The columns that hold a message, and the field that each of them is."""


class IncomingState(StrEnum):
    """waiting -> done, carried or kept; parked after three crashes."""

    WAITING = "waiting"
    DONE = "done"
    FORWARDED = "carried"
    """It is forwarded to an owner in a notice: kept until that is sent."""
    KEPT = "kept"
    """It could not be answered: kept for a week for administrators."""
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """An incoming mail or form, as it was stored."""

    id: int
    message: IncomingMessage


def add(tx: Connection, messages: Sequence[IncomingMessage], now: datetime) -> None:
    """Store messages; one that was stored before, or twice among these, is stored once.

    Without a Message-ID, an equal message counts as the same only within half a minute.
    """
    if without_message_id := [one.digest for one in messages if one.digest and one.digest.startswith(NO_MESSAGE_ID)]:
        earlier = (incoming.c.digest.in_(without_message_id), incoming.c.received_at <= now - _RETRY_WINDOW)
        tx.execute(update(incoming).where(*earlier).values(digest=None))
    rows = [
        {column: getattr(one, name) for column, name in _MESSAGE_COLUMNS.items()}
        | {"recipients": list(one.recipients), "state": IncomingState.WAITING, "received_at": now}
        for one in messages
    ]
    insert_multirow(tx, insert_into(tx, incoming).on_conflict_do_nothing(index_elements=["digest"]), rows)
    notify_own_process(tx, Wakeup.INCOMING)


def take_waiting(tx: Connection, limit: int, uncounted: Collection[int] = ()) -> list[StoredMessage]:
    """The oldest waiting mails, with their tries counted first; those tried too often are parked instead.

    Up to `limit` that were never tried. A mail that was tried before is taken alone, so that it cannot harm others, and
    so is a large one. The last try of those in `uncounted` does not count: the database failed then.
    """
    tries = incoming.c.tries
    waits = incoming.c.state == IncomingState.WAITING
    if uncounted:
        tx.execute(update(incoming).where(incoming.c.id.in_(uncounted), waits, tries > 0).values(tries=tries - 1))
    alone = or_(tries > 0, incoming.c.spooled.is_not(None)).label("alone")
    oldest = list(tx.execute(select(incoming.c.id, alone).where(waits).order_by(incoming.c.id).limit(limit)))
    taken = [row.id for row in takewhile(lambda row: not row.alone, oldest)] or [row.id for row in oldest[:1]]
    parked = {"state": case((tries < MAX_TRIES, incoming.c.state), else_=IncomingState.PARKED)}
    counted = {"tries": case((tries < MAX_TRIES, tries + 1), else_=tries)}
    changed = update(incoming).where(incoming.c.id.in_(taken), waits).values(parked | counted)
    rows = tx.execute(
        changed.returning(incoming.c.id, incoming.c.state, *(incoming.c[column] for column in _MESSAGE_COLUMNS))
    )
    found = [_message_from_row(row) for row in rows if row.state == IncomingState.WAITING]
    return sorted(found, key=lambda mail: mail.id)


def load_raw(tx: Connection, incoming_id: int) -> bytes:
    """The octets of a mail that was processed and is still kept. Raises NotFound."""
    row = tx.execute(select(incoming.c.raw).where(incoming.c.id == incoming_id)).one_or_none()
    if row is None or not row.raw:
        raise NotFound(f"mail {incoming_id} is not kept any more")
    return row.raw


def store_raw(tx: Connection, incoming_id: int, raw: bytes) -> None:
    """Keep the mail's octets in its row: a letter that contains it may be rendered at any time."""
    tx.execute(update(incoming).where(incoming.c.id == incoming_id, incoming.c.raw != raw).values(raw=raw))


def finish(tx: Connection, incoming_id: int, end: IncomingState, raw: bytes, now: datetime) -> None:
    """Record that a mail was processed, and delete its content unless it is kept.

    What is kept is in the row from now on, and not in the spool of the machine that received it.
    """
    kept = raw if end in {IncomingState.KEPT, IncomingState.FORWARDED} else b""
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


def count_in_state(tx: Connection, state: IncomingState) -> int:
    return tx.execute(select(func.count()).select_from(incoming).where(incoming.c.state == state)).scalar_one()


def count_all(tx: Connection) -> int:
    """How many mails have come in, in any state."""
    return tx.execute(select(func.count()).select_from(incoming)).scalar_one()


def count_waiting(tx: Connection, limit: int) -> int:
    """How many mails wait; counts up to `limit`."""
    some = select(incoming.c.id).where(incoming.c.state == IncomingState.WAITING).limit(limit).subquery()
    return tx.execute(select(func.count()).select_from(some)).scalar_one()


def find_unreferenced_files(tx: Connection, files: Collection[str]) -> set[str]:
    """Which of these spool files belong to no mail."""
    given, referenced = list(files), set[str]()
    for start in range(0, len(given), _FILES_PER_QUERY):
        found = select(incoming.c.spooled).where(incoming.c.spooled.in_(given[start : start + _FILES_PER_QUERY]))
        referenced.update(tx.execute(found).scalars())
    return set(given) - referenced


def _message_from_row(row: Row[tuple[object, ...]]) -> StoredMessage:
    values = {name: getattr(row, column) for column, name in _MESSAGE_COLUMNS.items()}
    return StoredMessage(row.id, IncomingMessage(**values | {"recipients": tuple(row.recipients)}))
