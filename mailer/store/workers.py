"""The processes that sent, are sending, and must not be two."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, insert, text
from sqlalchemy.pool import NullPool

from mailer.errors import DatabaseOwned
from mailer.store.database import is_sqlite
from mailer.store.tables import worker

_ADVISORY_KEY = 0x6D61696C6572


def enter(tx: Connection, name: str, now: datetime) -> int:
    """A new worker: its id marks its claims, so that a later one knows which are void."""
    return tx.execute(insert(worker).values(name=name, started_at=now).returning(worker.c.id)).scalar_one()


@contextmanager
def owning(engine: Engine) -> Iterator[None]:
    """Hold the database as its only `serve`, until we leave or die; DatabaseOwned when another does."""
    with _owning_file(Path(str(engine.url.database))) if is_sqlite(engine) else _owning_session(engine):
        yield


def owned(engine: Engine) -> bool:
    """Whether a `serve` is running on this database."""
    try:
        with owning(engine):
            return False
    except DatabaseOwned:
        return True


@contextmanager
def _owning_file(database: Path) -> Iterator[None]:
    # A lock file of its own: closing any descriptor of the database file would drop SQLite's locks.
    with database.with_name(f"{database.name}.owner").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise DatabaseOwned(f"{database} is owned by another `mailer serve` (pid {file.read()})") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def _owning_session(engine: Engine) -> Iterator[None]:
    alone = create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_KEY}).scalar_one():
            holder = connection.execute(
                text(
                    "SELECT a.client_addr, a.client_port, a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                    " WHERE l.locktype = 'advisory' AND l.objid = :low"
                ),
                {"low": _ADVISORY_KEY & 0xFFFFFFFF},
            ).first()
            raise DatabaseOwned(
                f"{engine.url.render_as_string(hide_password=True)} is owned by another `mailer serve`"
                f" (its session there has pid {holder.pid if holder else 'unknown'})"
            )
        yield
