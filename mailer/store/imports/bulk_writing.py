"""What a connection that writes for minutes needs: checkpoints in time, a larger cache, and to know who else writes."""

from __future__ import annotations

from sqlalchemy import Connection, text

_USUAL_CHECKPOINT, _RARE_CHECKPOINT, _EARLY_CHECKPOINT = 1_000, 10_000, 400
"""The pages of the write-ahead log after which the connection that commits writes them into the database."""
_USUAL_CACHE_KB, _LARGE_CACHE_KB = 2_000, 32_000


def begin_bulk(tx: Connection) -> None:
    """Prepare this thread's connection for many writes beside others."""
    checkpoint_rarely(tx, False)
    _set(tx, "cache_size", -_LARGE_CACHE_KB)


def checkpoint_rarely(tx: Connection, rarely: bool) -> None:
    """Let this connection move pages into the database rarely, so that each is written once; or before others must.

    Whoever commits when the log is long enough moves all of it: others who write should not pay for an import.
    """
    _set(tx, "wal_autocheckpoint", _RARE_CHECKPOINT if rarely else _EARLY_CHECKPOINT)


def end_bulk(tx: Connection) -> None:
    """Undo `begin_bulk`."""
    _set(tx, "wal_autocheckpoint", _USUAL_CHECKPOINT)
    _set(tx, "cache_size", -_USUAL_CACHE_KB)


def _set(tx: Connection, pragma: str, value: int) -> None:
    if tx.dialect.name == "sqlite":
        tx.execute(text(f"PRAGMA {pragma} = {value}"))


def write_mark(tx: Connection) -> tuple[int, int]:
    """Two numbers that are the same as long as nobody writes, over this connection or another one (SQLite)."""
    if tx.dialect.name != "sqlite":
        return 0, 0
    version: int = tx.execute(text("PRAGMA data_version")).scalar_one()
    connection = tx.connection.dbapi_connection
    return version, getattr(connection, "total_changes", 0)
