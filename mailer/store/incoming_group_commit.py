"""The group commit of mails that come in: all that arrive while one is written down share the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from mailer.domain.incoming_message import IncomingMessage
from mailer.errors import DatabaseUnavailable
from mailer.store import incoming_mails, spool
from mailer.store.database import Database

_MAX_BATCH = 500
_BUSY_BATCH = 5
"""So many mails that share a commit."""
_BUSY_S = 0.25
_Waiter = tuple[IncomingMessage, asyncio.Future[None]]


class IncomingGroupCommit:
    """Where every mail is written down before anybody is told that we have it."""

    def __init__(self, database: Database, spool_folder: Path, clock: Callable[[], datetime]) -> None:
        self._database, self._spool, self._clock = database, spool_folder, clock
        self._waiters: list[_Waiter] = []
        self._uncertain_files: set[str] = set()
        """Files of mails of which nobody knows whether their row was committed."""
        self._busy_until = float("-inf")
        self._running: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether mail comes in by so many connections just now that every other write delays it."""
        return asyncio.get_running_loop().time() < self._busy_until

    async def commit(self, arrival: IncomingMessage) -> None:
        """The mail is committed when this returns, or was before. Raises what kept us from it."""
        written = asyncio.get_running_loop().create_future()
        self._waiters.append((arrival, written))
        if self._running is None:
            self._running = asyncio.create_task(self._run_commits())
        await written

    async def _run_commits(self) -> None:
        while self._waiters:
            # Whoever was answered by the last commit is heard first: a commit costs the same for one as for many.
            await asyncio.sleep(0)
            together, self._waiters = self._waiters[:_MAX_BATCH], self._waiters[_MAX_BATCH:]
            if len(together) >= _BUSY_BATCH:
                self._busy_until = asyncio.get_running_loop().time() + _BUSY_S
            await self._commit_batch(together)
        self._running = None

    async def _commit_batch(self, waiters: Sequence[_Waiter]) -> None:
        arrivals = [arrival for arrival, _ in waiters]
        files = self._uncertain_files | {arrival.spool_name for arrival in arrivals if arrival.spool_name is not None}
        try:
            unreferenced = await self._database.write(_insert_messages, arrivals, files, self._clock())
        except Exception as trouble:  # every client must learn of it
            self._uncertain_files = files
            if len(waiters) > 1 and not isinstance(trouble, DatabaseUnavailable):
                # One of them cannot be written down: the others must not suffer for it.
                for waiter in waiters:
                    await self._commit_batch([waiter])
            else:
                _resolve_waiters(waiters, trouble)
            return
        self._uncertain_files = set()
        _resolve_waiters(waiters, None)
        if unreferenced:
            await asyncio.to_thread(spool.delete_files, self._spool, unreferenced)


def _resolve_waiters(waiters: Sequence[_Waiter], trouble: Exception | None) -> None:
    for _, written in waiters:
        if written.done():
            continue
        if trouble is None:
            written.set_result(None)
        else:
            written.set_exception(trouble)


def _insert_messages(tx: Connection, arrivals: Sequence[IncomingMessage], files: set[str], now: datetime) -> set[str]:
    """Which files belong to no mail now: those of mails that had come before."""
    incoming_mails.add(tx, arrivals, now)
    return incoming_mails.find_unreferenced_files(tx, files)
