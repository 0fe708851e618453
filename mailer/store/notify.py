"""Wake-ups: a transaction says what it gives others to do, and they learn of it once it is committed."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

import psycopg
from sqlalchemy import Connection, Engine, text

from mailer.errors import DatabaseUnavailable

_CHANNEL = "mailer"
_KEY = "mailer wakeups"


class Wakeup(Enum):
    """What a transaction may give others to do."""

    NOTICES = auto()
    """A notice may be due."""
    CAMPAIGNS = auto()
    """A campaign's delivery may be due."""
    INCOMING = auto()
    """Mail came in."""
    SCHEDULE = auto()
    """A campaign may have to be launched or ended."""


def notify(tx: Connection, *wakeups: Wakeup) -> None:
    """Wake the tasks that wait for this once `tx` is committed: in this process, and on PostgreSQL in all others."""
    notify_own_process(tx, *wakeups)
    if tx.dialect.name == "postgresql":
        tx.execute(text(f"NOTIFY {_CHANNEL}"))


def notify_own_process(tx: Connection, *wakeups: Wakeup) -> None:
    """Wake the tasks of this process that wait for this once `tx` is committed."""
    tx.info.setdefault(_KEY, set()).update(wakeups)


def take_wakeups(tx: Connection) -> frozenset[Wakeup]:
    """What was marked on this connection since the last call."""
    return frozenset(tx.info.pop(_KEY, ()))


async def listen(engine: Engine, on_notify: Callable[[], None]) -> None:
    """Call `on_notify` at each `notify` of any process, until cancelled.

    DatabaseUnavailable where the session breaks. A notification only saves waiting: what is due, the queue says.
    """
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as session:
            await session.execute(f"LISTEN {_CHANNEL}")
            async for _ in session.notifies():
                on_notify()
    except psycopg.Error as error:
        raise DatabaseUnavailable(f"the database is unavailable: {error}") from error
