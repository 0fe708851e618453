"""The group commit: outcomes and next letters of all relay connections, in one transaction at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from mailer.domain.delivery import Delivery, DeliveryOutcome
from mailer.errors import DatabaseUnavailable
from mailer.store.database import Database
from mailer.store.queue import gate
from mailer.store.queue.gate import HandoffRequest

_Waiter = tuple[int | None, asyncio.Future[bool]]
"""The delivery whose turn at the gate it is, if one is, and who waits to hear of it."""
_GATHER_S = 0.001
"""How long turns are gathered: a commit takes longer, and costs the same for one letter as for many."""


class OutcomeGroupCommit:
    """Where a carrier writes down its last letter's fate and asks for the next, before it sends again.

    While one transaction runs, the turns of other carriers gather for the next: the more connections, the
    more letters a commit is shared by.
    """

    def __init__(self, database: Database, worker_id: int, clock: Callable[[], datetime]) -> None:
        self._database, self._worker_id, self._clock = database, worker_id, clock
        self._settled: list[DeliveryOutcome] = []
        self._wanted: list[HandoffRequest] = []
        self._done: list[int] = []
        self._waiters: list[_Waiter] = []
        self._open: Counter[int] = Counter()
        self._running: asyncio.Task[None] | None = None

    def add_claimed(self, claimed: Iterable[Delivery]) -> None:
        """Deliveries were claimed; their claim is done once each of them came back."""
        self._open.update(one.claim_id for one in claimed)

    def count_returned(self, claim_ids: Iterable[int]) -> None:
        """Deliveries of these claims came back without having been handed: one for each time a claim is named."""
        for claim_id in claim_ids:
            self._open[claim_id] -= 1
            if self._open[claim_id] <= 0:
                del self._open[claim_id]
                self._done.append(claim_id)

    async def commit(self, settled: DeliveryOutcome | None, wanted: HandoffRequest | None = None) -> bool:
        """Commit what became of a letter, and hand the one that is `wanted`; whether it may go out."""
        if settled is None and wanted is None:
            return False
        if settled is not None:
            self._settled.append(settled)
            self.count_returned((settled.claim_id,))
        if wanted is not None:
            self._wanted.append(wanted)
        return await self._wait_for_commit(wanted.delivery_id if wanted else None)

    async def delete_finished_claims(self) -> None:
        """Write down which claims are done, with no letter to tell of.

        In its turn: a claim that went before the last of its outcomes is written would leave that letter to nobody.
        """
        if self._done:
            await self._wait_for_commit(None)

    async def wait_until_idle(self) -> None:
        """Wait until what was told is written down, or failed to be."""
        if self._running is not None:
            await asyncio.wait({self._running})

    async def _wait_for_commit(self, wanted_id: int | None) -> bool:
        committed = asyncio.get_running_loop().create_future()
        self._waiters.append((wanted_id, committed))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run_commits())
        return await committed

    async def _run_commits(self) -> None:
        """Commit what has gathered, as long as there is something; whoever waits learns of it, however it ends."""
        waiters: list[_Waiter] = []
        try:
            while self._waiters:
                await asyncio.sleep(_GATHER_S)
                settled, wanted, done, waiters = self._settled, self._wanted, self._done, self._waiters
                self._settled, self._wanted, self._done, self._waiters = [], [], [], []
                try:
                    handed = await self._database.write(
                        gate.commit_batch, self._worker_id, settled, wanted, done, self._clock()
                    )
                except Exception as trouble:  # every waiting carrier must learn of it
                    _fail_waiters(waiters, trouble)
                else:
                    self.count_returned(one.claim_id for one in wanted if one.delivery_id not in handed)
                    for number, waiter in waiters:
                        if not waiter.done():
                            waiter.set_result(number in handed)
        finally:
            left, self._waiters = [*waiters, *self._waiters], []
            _fail_waiters(
                left, DatabaseUnavailable("the ledger was cut off: nobody knows what of this turn was written down")
            )


def _fail_waiters(waiters: list[_Waiter], trouble: Exception) -> None:
    for _, waiter in waiters:
        if not waiter.done():
            waiter.set_exception(trouble)
