"""Which workers are alive: on PostgreSQL each holds an advisory lock in a session that ends with its process."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from mailer.errors import DatabaseUnavailable
from mailer.store.database import is_sqlite
from mailer.store.queue import workers
from mailer.store.queue.queue_tables import worker

_WORKER_LOCK_CLASS = 0x6D61696C
"""The first half of our advisory locks' keys; the second is the worker's id."""


class WorkerPresence:
    """The workers of this process, as other processes see them. On SQLite there is one process, and nothing to do."""

    def __init__(self, engine: Engine) -> None:
        self._engine = None if is_sqlite(engine) else create_engine(engine.url, poolclass=NullPool)
        self._session: Connection | None = None
        self._one_at_a_time = Lock()

    @property
    def is_needed(self) -> bool:
        return self._engine is not None

    def register(self, name: str, now: datetime, lease: timedelta = workers.LEASE) -> int:
        """Add a worker that counts as alive as long as our session; returns its id. Raises DatabaseUnavailable."""
        if self._engine is None:
            raise RuntimeError("on SQLite a worker is registered by an ordinary write")
        with self._one_at_a_time:
            try:
                self._session = self._session or self._engine.connect()
                with self._session.begin():
                    worker_id = workers.register(self._session, name, now, lease)
                    # Before others can see the row.
                    self._session.execute(
                        text("SELECT pg_advisory_lock(:class, :id)"), {"class": _WORKER_LOCK_CLASS, "id": worker_id}
                    )
            except DBAPIError as error:
                self._close_session()
                raise DatabaseUnavailable(f"the database is unavailable: {error.orig}") from error
            return worker_id

    def release_worker(self, worker_id: int) -> None:
        """Count as dead with this worker only: any process may recover what it held."""
        with self._one_at_a_time:
            if self._session is None:
                return
            try:
                with self._session.begin():
                    # False where an earlier session held the lock: then it is free already.
                    self._session.execute(
                        text("SELECT pg_advisory_unlock(:class, :id)"), {"class": _WORKER_LOCK_CLASS, "id": worker_id}
                    )
            except DBAPIError:
                self._close_session()

    def close(self) -> None:
        """Count as dead with all our workers: any process may recover what they held."""
        with self._one_at_a_time:
            if self._session is not None:
                try:
                    with self._session.begin():
                        # PostgreSQL frees a closed session's locks a moment later; this frees them before we return.
                        self._session.execute(text("SELECT pg_advisory_unlock_all()"))
                except DBAPIError:
                    pass  # the session is lost, and its locks with it
            self._close_session()

    def _close_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.invalidate()
            session.close()


def find_dead_workers(tx: Connection, name: str, own_id: int, now: datetime) -> list[int]:
    """The workers other than our own that died, or did not renew their lease in time.

    On SQLite these are all others of this name, since one process owns the file.
    """
    found = tx.execute(select(worker.c.id, worker.c.name, worker.c.lease_until).where(worker.c.id != own_id)).all()
    if is_sqlite(tx):
        return [one.id for one in found if one.name == name]
    alive = set(tx.execute(text(_ALIVE_WORKERS), {"class": _WORKER_LOCK_CLASS}).scalars())
    return [one.id for one in found if one.id not in alive or one.lease_until < now]


def any_worker_alive(tx: Connection) -> bool:
    """Whether a worker runs on this PostgreSQL database; on SQLite only the owner of the file could."""
    return not is_sqlite(tx) and tx.execute(text(_ALIVE_WORKERS), {"class": _WORKER_LOCK_CLASS}).first() is not None


_ALIVE_WORKERS = """
SELECT CAST(objid AS bigint) FROM pg_locks
WHERE locktype = 'advisory' AND classid = :class AND objsubid = 2 AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
