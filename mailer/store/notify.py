"""Hints between nodes: PostgreSQL tells all who listen that something changed. Looking is the truth; this is sooner."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from sqlalchemy import Connection, Engine, text

from mailer.errors import DatabaseUnavailable
from mailer.store.database import is_sqlite

_CHANNEL = "mailer"


def notify(tx: Connection) -> None:
    """Let other processes look into the ledger as soon as this is committed."""
    if not is_sqlite(tx):
        tx.execute(text(f"NOTIFY {_CHANNEL}"))


async def listen(engine: Engine, on_notify: Callable[[], None]) -> None:
    """Call `ring` at each hint, until cancelled; DatabaseUnavailable where the session breaks."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as session:
            await session.execute(f"LISTEN {_CHANNEL}")
            async for _ in session.notifies():
                on_notify()
    except psycopg.Error as trouble:
        raise DatabaseUnavailable(f"the database does not serve us: {trouble}") from trouble
