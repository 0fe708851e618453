"""The ledger's database: one writer thread, a few readers, and transactions that are plain functions.

A transaction is a synchronous function of a connection. It runs whole in a thread, so none can be open
while a coroutine waits for SMTP, and one hop to the thread pays for all its statements.
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
        # A process that was stopped in the middle of a transaction must not keep its locks.
        "idle_in_transaction_session_timeout=10s",
        # Nor one whose machine is gone.
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
        self._writers = ThreadPoolExecutor(1 if is_sqlite(self.engine) else _READERS, "ledger-write")
        self._readers = ThreadPoolExecutor(_READERS, "ledger-read")
        self._thread_local = threading.local()
        self._file = DatabaseFile(Path(str(self.engine.url.database))) if is_sqlite(self.engine) else None
        self._opened: list[Connection] = []
        self._listeners: set[Callable[[frozenset[Wakeup]], None]] = set()

    def on_commit(self, listener: Callable[[frozenset[Wakeup]], None]) -> None:
        """Call `listener` in the event loop after each commit of a write that gives somebody something to do."""
        self._listeners.add(listener)

    @property
    def has_one_writer(self) -> bool:
        """Whether a write keeps all others waiting, as on SQLite."""
        return is_sqlite(self.engine)

    async def write(self, work: TransactionFunction[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `work(connection, ...)` in one write transaction; what it returns is committed when we return it.

        Raises DatabaseUnavailable where the database is the trouble; whatever `work` raises rolls back.
        """
        return (await self._run(self._writers, True, lambda tx: work(tx, *args, **kwargs)))[0]

    async def timed_write(self, work: TransactionFunction[P, R], *args: P.args, **kwargs: P.kwargs) -> tuple[R, float]:
        """As `write`, and the seconds for which the write lock was held, commit included."""
        return await self._run(self._writers, True, lambda tx: work(tx, *args, **kwargs))

    async def read(self, work: TransactionFunction[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `work(connection, ...)` on one snapshot; it must not write."""
        return (await self._run(self._readers, False, lambda tx: work(tx, *args, **kwargs)))[0]

    async def check_files(self) -> None:
        """DatabaseMoved where the files at its path are not those that are open; every write makes sure of it, too."""
        if self._file is not None:
            await self.write(lambda _: None)

    async def _run(self, pool: ThreadPoolExecutor, writing: bool, work: Callable[[Connection], R]) -> tuple[R, float]:
        loop = asyncio.get_running_loop()

        def transact() -> tuple[R, float]:
            done, wakeups = self._transact(writing, work)
            if wakeups:
                # From here, since whoever asked may have stopped waiting for us.
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
            except DBAPIError as trouble:
                if tries == _TRIES or not _was_rolled_back(trouble):
                    if isinstance(trouble, OperationalError):
                        raise DatabaseUnavailable(f"the database does not serve us: {trouble.orig}") from trouble
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
        except DBAPIError as trouble:
            self._discard_connection()
            # Nobody knows whether it was committed: whoever asked must believe neither.
            raise DatabaseUnavailable(f"the database did not confirm: {trouble.orig}") from trouble
        if files is not None:
            files.check(after_write=True)
        return (result, time.perf_counter() - began), take_wakeups(connection)

    def _connection(self, writing: bool) -> Connection:
        """The connection of this thread, which stays open: a thread only ever writes, or only reads."""
        connection: Connection | None = getattr(self._thread_local, "connection", None)
        if connection is None:
            self._thread_local.files = self._file.open() if self._file is not None else None
            connection = self.engine.connect().execution_options(writing=writing)
            self._thread_local.connection = connection
            self._opened.append(connection)
        return connection

    def _discard_connection(self) -> None:
        """Close this thread's connection and its transaction: after trouble their state is anybody's guess."""
        connection, self._thread_local.connection = self._thread_local.connection, None
        self._opened.remove(connection)
        connection.invalidate()
        connection.close()

    async def close(self) -> None:
        """Let running transactions end, then put everything down."""
        for pool in (self._writers, self._readers):
            await asyncio.to_thread(pool.shutdown)
        if self._file is not None and self._file.moved and self._opened:
            # What stands in the write-ahead log belongs to the file that is open, and to no other that is there now.
            _driver_connection(self._opened[0]).execute("PRAGMA wal_checkpoint(TRUNCATE)")
        while self._opened:
            self._opened.pop().close()
        self.engine.dispose()


def open_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """An engine for a settings url. On SQLite every write begins IMMEDIATE: else two would lose updates."""
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


def _was_rolled_back(trouble: DBAPIError) -> bool:
    """Nothing of it was done: the connection was stale, or PostgreSQL undid us for another's sake (deadlock)."""
    return trouble.connection_invalidated or getattr(trouble.orig, "sqlstate", None) in {"40001", "40P01"}
