"""What a connection that writes for minutes needs: rarer checkpoints, a larger cache, and to know who else writes."""

from __future__ import annotations

from sqlalchemy import Connection, text

_USUAL_CHECKPOINT, _RARE_CHECKPOINT = 1_000, 10_000
"""The pages of the write-ahead log after which SQLite writes them into the database: each then costs one write."""
_USUAL_CACHE_KB, _LARGE_CACHE_KB = 2_000, 32_000


def begin_bulk(tx: Connection) -> None:
    """Prepare this thread's connection for many writes."""
    _set(tx, checkpoint=_RARE_CHECKPOINT, cache_kb=_LARGE_CACHE_KB)


def end_bulk(tx: Connection) -> None:
    """Undo `begin_bulk`."""
    _set(tx, checkpoint=_USUAL_CHECKPOINT, cache_kb=_USUAL_CACHE_KB)


def _set(tx: Connection, *, checkpoint: int, cache_kb: int) -> None:
    if tx.dialect.name == "sqlite":
        tx.execute(text(f"PRAGMA wal_autocheckpoint = {checkpoint}"))
        tx.execute(text(f"PRAGMA cache_size = -{cache_kb}"))


def write_mark(tx: Connection) -> tuple[int, int]:
    """Two numbers that are the same as long as nobody writes, over this connection or another one (SQLite)."""
    if tx.dialect.name != "sqlite":
        return 0, 0
    version: int = tx.execute(text("PRAGMA data_version")).scalar_one()
    connection = tx.connection.dbapi_connection
    return version, getattr(connection, "total_changes", 0)
