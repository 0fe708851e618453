"""Workers: the processes that send, their leases, and the one owner of a database."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Engine,
    Select,
    bindparam,
    create_engine,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from mailer.errors import DatabaseOwned, DatabaseUnavailable, LeaseLost
from mailer.store.bulk_rows import CompiledStatement
from mailer.store.database import is_sqlite
from mailer.store.database_files import owner_file
from mailer.store.queue.queue_tables import worker

_ADVISORY_KEY = 0x6D61696C6572


LEASE = timedelta(seconds=60)
"""How long a worker's claims are its own after it last renewed its lease."""


def register(tx: Connection, name: str, now: datetime, lease: timedelta = LEASE) -> int:
    """Add a worker; its id marks its claims, so that they can be voided when it is gone."""
    statement = insert(worker).values(name=name, started_at=now, lease_until=now + lease)
    return tx.execute(statement.returning(worker.c.id)).scalar_one()


def renew_lease(tx: Connection, worker_id: int, now: datetime, lease: timedelta = LEASE) -> None:
    """Extend the worker's lease. Raises LeaseLost where others have given the worker up."""
    check_lease(tx, worker_id)
    tx.execute(update(worker).where(worker.c.id == worker_id).values(lease_until=now + lease))


def has_lease(tx: Connection, worker_id: int) -> bool:
    """Whether the worker still exists; on PostgreSQL nobody can delete it before we commit."""
    return _HAS_LEASE.run(tx, worker_id=worker_id).first() is not None


def _has_lease_query(dialect: Dialect) -> Select[Any]:
    standing = select(worker.c.id).where(worker.c.id == bindparam("worker_id", type_=BigInteger()))
    return standing if dialect.name == "sqlite" else standing.with_for_update(read=True)


_HAS_LEASE = CompiledStatement(_has_lease_query)


def check_lease(tx: Connection, worker_id: int) -> None:
    """Raise LeaseLost where others have given the worker up."""
    if not has_lease(tx, worker_id):
        raise LeaseLost("this worker lost its lease: other workers have taken over what it had claimed")


@contextmanager
def own_database(engine: Engine) -> Iterator[Callable[[], None]]:
    """Own the database as its only `serve` until the block or the process ends. Raises DatabaseOwned.

    Yields a function that checks that we still own it: PostgreSQL forgets its owner when it restarts.
    """
    if is_sqlite(engine):
        with _own_file(Path(str(engine.url.database))):
            yield lambda: None
        return
    session = _OwnershipSession(engine)
    try:
        session.check()
        yield session.check
    finally:
        session.close()


def is_owned(engine: Engine) -> bool:
    """Whether a `serve` runs on this database."""
    try:
        with own_database(engine):
            return False
    except DatabaseOwned:
        return True


@contextmanager
def _own_file(database: Path) -> Iterator[None]:
    # A lock file of its own: closing any descriptor of the database file would drop SQLite's locks.
    descriptor = os.open(owner_file(database), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise DatabaseOwned(f"{database} is owned by another `mailer serve` (pid {file.read()})") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


class _OwnershipSession:
    """A session whose advisory lock says that the database is ours."""

    def __init__(self, engine: Engine) -> None:
        self._engine = create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None

    def check(self) -> None:
        """Take the lock (again, if the session was lost). Raises DatabaseOwned or DatabaseUnavailable."""
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return
            self._connection = self._engine.connect()
            taken = self._connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_KEY})
            if not taken.scalar_one():
                holder = self._connection.execute(text(_OWNER_PID), {"low": _ADVISORY_KEY & 0xFFFFFFFF}).scalar()
                raise DatabaseOwned(
                    f"{self._engine.url.render_as_string(hide_password=True)} is owned by another `mailer serve`"
                    f" (its session there has pid {holder or 'unknown'})"
                )
        except DBAPIError as error:
            self.close()
            raise DatabaseUnavailable(f"the database is unavailable: {error.orig}") from error

    def close(self) -> None:
        """End the session and with it the lock."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.invalidate()
            connection.close()


_OWNER_PID = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = :low AND granted"
