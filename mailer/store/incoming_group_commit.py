"""The group commit of mails that come in: all that arrive while one is written down share the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from mailer.domain.incoming_message import Arrival
from mailer.errors import DatabaseUnavailable
from mailer.store import incoming_mails, spool
from mailer.store.database import Database

_MOST_TOGETHER = 500
_A_CROWD = 5
"""So many mails that share a commit."""
_CROWDED_S = 0.25
Waiter = tuple[Arrival, asyncio.Future[None]]


class Logbook:
    """Where every mail is written down before anybody is told that we have it."""

    def __init__(self, database: Database, spool_folder: Path, clock: Callable[[], datetime]) -> None:
        self._database, self._spool, self._clock = database, spool_folder, clock
        self._waiters: list[Waiter] = []
        self._doubtful: set[str] = set()
        """Files of mails of which nobody knows whether their row was committed."""
        self._crowded_until = float("-inf")
        self._running: asyncio.Task[None] | None = None

    @property
    def crowded(self) -> bool:
        """Whether mail comes in by so many connections just now that every other write delays it."""
        return asyncio.get_running_loop().time() < self._crowded_until

    async def write_down(self, arrival: Arrival) -> None:
        """The mail is committed when this returns, or was before. Raises what kept us from it."""
        written = asyncio.get_running_loop().create_future()
        self._waiters.append((arrival, written))
        if self._running is None:
            self._running = asyncio.create_task(self._commit())
        await written

    async def _commit(self) -> None:
        while self._waiters:
            # Whoever was answered by the last commit is heard first: a commit costs the same for one as for many.
            await asyncio.sleep(0)
            together, self._waiters = self._waiters[:_MOST_TOGETHER], self._waiters[_MOST_TOGETHER:]
            if len(together) >= _A_CROWD:
                self._crowded_until = asyncio.get_running_loop().time() + _CROWDED_S
            await self._commit_together(together)
        self._running = None

    async def _commit_together(self, waiters: Sequence[Waiter]) -> None:
        arrivals = [arrival for arrival, _ in waiters]
        files = self._doubtful | {arrival.spooled for arrival in arrivals if arrival.spooled is not None}
        try:
            in_vain = await self._database.write(_enter, arrivals, files, self._clock())
        except Exception as trouble:  # every client must learn of it
            self._doubtful = files
            if len(waiters) > 1 and not isinstance(trouble, DatabaseUnavailable):
                # One of them cannot be written down: the others must not suffer for it.
                for waiter in waiters:
                    await self._commit_together([waiter])
            else:
                _tell(waiters, trouble)
            return
        self._doubtful = set()
        _tell(waiters, None)
        if in_vain:
            await asyncio.to_thread(spool.delete, self._spool, in_vain)


def _tell(waiters: Sequence[Waiter], trouble: Exception | None) -> None:
    for _, written in waiters:
        if written.done():
            continue
        if trouble is None:
            written.set_result(None)
        else:
            written.set_exception(trouble)


def _enter(tx: Connection, arrivals: Sequence[Arrival], files: set[str], now: datetime) -> set[str]:
    """Which files belong to no mail now: those of mails that had come before."""
    incoming_mails.add(tx, arrivals, now)
    return incoming_mails.unnamed(tx, files)
