"""The group commit: outcomes and next letters of all relay connections, in one transaction at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from mailer.domain.delivery import Settlement
from mailer.store import deliveries
from mailer.store.database import Database


class Ledger:
    """Where a carrier writes down its last letter's fate and asks for the next, before it sends again.

    While one transaction runs, the turns of other carriers gather for the next: the more connections, the
    more letters a commit is shared by, and none waits for a timer.
    """

    def __init__(self, database: Database, worker_id: int, clock: Callable[[], datetime]) -> None:
        self._database, self._worker_id, self._clock = database, worker_id, clock
        self._settled: list[Settlement] = []
        self._wanted: dict[int, datetime] = {}
        self._next: asyncio.Future[set[int]] | None = None
        self._running: asyncio.Task[None] | None = None

    async def turn(
        self, settled: Settlement | None, wanted: int | None = None, dated_at: datetime | None = None
    ) -> bool:
        """Commit what became of a letter, and hand the delivery `wanted` with its Date; whether it may go out."""
        if settled is None and wanted is None:
            return False
        if settled is not None:
            self._settled.append(settled)
        if wanted is not None and dated_at is not None:
            self._wanted[wanted] = dated_at
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        committed = self._next
        if self._running is None:
            self._running = asyncio.create_task(self._commit())
        return wanted in await asyncio.shield(committed)

    async def _commit(self) -> None:
        while (gathered := self._next) is not None:
            settled, wanted = self._settled, self._wanted
            self._settled, self._wanted, self._next = [], {}, None
            try:
                handed = await self._database.write(deliveries.turn, settled, wanted, self._worker_id, self._clock())
            except Exception as trouble:  # every waiting carrier must learn of it
                gathered.set_exception(trouble)
                gathered.exception()  # retrieved, even where every carrier was cancelled meanwhile
            else:
                gathered.set_result(handed)
        self._running = None
