"""The database: one writer thread on SQLite, some readers, and transactions that are plain functions.

A transaction is a synchronous function of a connection. It runs completely in a thread, so that none is open while a
coroutine waits for the network, and all its statements cost one switch to the thread.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from mailer.errors import DatabaseUnavailable
from mailer.store.database_files import DatabaseFile, OpenFiles, create_private_file
from mailer.store.notify import Wakeup, take_wakeups

BUSY_TIMEOUT_S = 30
_READERS = 4
_TRIES = 3
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", f"busy_timeout = {BUSY_TIMEOUT_S * 1000}")

_POSTGRESQL_OPTIONS = " ".join(
    f"-c {option}"
    for option in (
        # A process that is stopped during a transaction must not keep its locks.
        "idle_in_transaction_session_timeout=10s",
        # Nor must one whose machine is gone.
        "tcp_keepalives_idle=20",
        "tcp_keepalives_interval=5",
        "tcp_keepalives_count=4",
    )
)

P = ParamSpec("P")
R = TypeVar("R")
TransactionFunction = Callable[Concatenate[Connection, P], R]


class Database:
    """An engine, and the threads in which its transactions run."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        # SQLite has one write lock: writers queue for one thread rather than poll for the lock.
        self._writers = ThreadPoolExecutor(1 if is_sqlite(self.engine) else _READERS, "database-write")
        self._readers = ThreadPoolExecutor(_READERS, "database-read")
        self._thread_local = threading.local()
        self._file = DatabaseFile(Path(str(self.engine.url.database))) if is_sqlite(self.engine) else None
        self._opened: list[Connection] = []
        self._listeners: set[Callable[[frozenset[Wakeup]], None]] = set()

    def on_commit(self, listener: Callable[[frozenset[Wakeup]], None]) -> None:
        """Call `listener` in the event loop after each commit of a write that gives somebody something to do."""
        self._listeners.add(listener)

    @property
    def has_one_writer(self) -> bool:
        """Whether a write makes all other writes wait, as on SQLite."""
        return is_sqlite(self.engine)

    async def write(self, work: TransactionFunction[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `work(connection, ...)` in one write transaction; returns what it returned, once that is committed.

        Then wakes those for whom it called `notify`. Raises DatabaseUnavailable where the database fails; an exception
        of `work` rolls back.
        """
        return (await self._run(self._writers, True, lambda tx: work(tx, *args, **kwargs)))[0]

    async def timed_write(self, work: TransactionFunction[P, R], *args: P.args, **kwargs: P.kwargs) -> tuple[R, float]:
        """As `write`; also returns the seconds for which the write lock was held, commit included."""
        return await self._run(self._writers, True, lambda tx: work(tx, *args, **kwargs))

    async def read(self, work: TransactionFunction[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `work(connection, ...)` on one snapshot; it must not write."""
        return (await self._run(self._readers, False, lambda tx: work(tx, *args, **kwargs)))[0]

    async def check_files(self) -> None:
        """Raise DatabaseMoved if the files at the database's path are not those that are open. Every write checks this,
        too."""
        if self._file is not None:
            await self.write(lambda _: None)

    async def _run(self, pool: ThreadPoolExecutor, writing: bool, work: Callable[[Connection], R]) -> tuple[R, float]:
        loop = asyncio.get_running_loop()

        def transact() -> tuple[R, float]:
            done, wakeups = self._transact(writing, work)
            if wakeups:
                # Called from this thread, since the caller may have been cancelled meanwhile.
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(self._wake, wakeups)
            return done

        return await loop.run_in_executor(pool, transact)

    def _wake(self, wakeups: frozenset[Wakeup]) -> None:
        for listener in self._listeners:
            listener(wakeups)

    def _transact(self, writing: bool, work: Callable[[Connection], R]) -> tuple[tuple[R, float], frozenset[Wakeup]]:
        for tries in range(1, _TRIES + 1):
            try:
                return self._run_once(writing, work)
            except DBAPIError as error:
                if tries == _TRIES or not _was_rolled_back(error):
                    if isinstance(error, OperationalError):
                        raise DatabaseUnavailable(f"the database is unavailable: {error.orig}") from error
                    raise
        raise AssertionError("unreachable")

    def _run_once(self, writing: bool, work: Callable[[Connection], R]) -> tuple[tuple[R, float], frozenset[Wakeup]]:
        connection = self._connection(writing)
        take_wakeups(connection)  # of a transaction that was rolled back
        files: OpenFiles | None = self._thread_local.files if writing else None
        if files is not None:
            files.check()
        transaction = connection.begin()
        try:
            began = time.perf_counter()
            result = work(connection)
        except DBAPIError:
            self._discard_connection()
            raise
        except BaseException:
            transaction.rollback()
            raise
        try:
            transaction.commit()
        except DBAPIError as error:
            self._discard_connection()
            # It is unknown whether it was committed, so that the caller must assume neither.
            raise DatabaseUnavailable(
                f"the database did not confirm a commit, which may or may not be written: {error.orig}"
            ) from error
        if files is not None:
            files.check(after_write=True)
        return (result, time.perf_counter() - began), take_wakeups(connection)

    def _connection(self, writing: bool) -> Connection:
        """This thread's connection, which stays open: a thread either only writes or only reads."""
        connection: Connection | None = getattr(self._thread_local, "connection", None)
        if connection is None:
            self._thread_local.files = self._file.open() if self._file is not None else None
            connection = self.engine.connect().execution_options(writing=writing)
            self._thread_local.connection = connection
            self._opened.append(connection)
        return connection

    def _discard_connection(self) -> None:
        """Close this thread's connection and its transaction: after an error their state is unknown."""
        connection, self._thread_local.connection = self._thread_local.connection, None
        self._opened.remove(connection)
        connection.invalidate()
        connection.close()

    async def close(self) -> None:
        """Wait for running transactions, then close all connections."""
        for pool in (self._writers, self._readers):
            await asyncio.to_thread(pool.shutdown)
        if self._file is not None and self._file.moved and self._opened:
            # The write-ahead log belongs to the file that is open, not to another one that has its name now.
            _driver_connection(self._opened[0]).execute("PRAGMA wal_checkpoint(TRUNCATE)")
        while self._opened:
            self._opened.pop().close()
        self.engine.dispose()


def open_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """An engine for a settings url. On SQLite every write begins IMMEDIATE: else two could lose updates."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), connect_args={"options": _POSTGRESQL_OPTIONS})
    engine = create_engine(parsed, connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "do_connect")
    def _create(*_: Any) -> None:
        create_private_file(Path(str(parsed.database)))

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        if not foreign_keys:
            connection.execute("PRAGMA foreign_keys = OFF")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _driver_connection(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def is_sqlite(database: Engine | Connection) -> bool:
    return database.dialect.name == "sqlite"


def _was_rolled_back(error: DBAPIError) -> bool:
    """Whether nothing of it was done: the connection was stale, or PostgreSQL chose it as a deadlock's victim."""
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in {"40001", "40P01"}
