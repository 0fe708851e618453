"""The send worker's group commit: outcomes and handoff requests of all relay connections share transactions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from mailer.domain.delivery import Delivery, DeliveryOutcome
from mailer.store.database import Database
from mailer.store.group_commit import GroupCommit
from mailer.store.queue import gate
from mailer.store.queue.gate import HandoffRequest

_GATHER_S = 0.001
"""How long a batch waits for more: a commit takes longer, and costs the same for one letter as for many."""
_Step = tuple[DeliveryOutcome | None, HandoffRequest | None]
"""The outcome of a delivery task's last letter, and its next letter; either may be missing."""


class OutcomeGroupCommit:
    """Records what became of letters, hands the next ones over, and deletes the worker's claims that are finished.

    A claim is finished once each of its deliveries came back: with an outcome, or without having been handed.
    """

    def __init__(self, database: Database, worker_id: int, clock: Callable[[], datetime]) -> None:
        self._database, self._worker_id, self._clock = database, worker_id, clock
        self._group: GroupCommit[_Step, bool] = GroupCommit(self._commit_batch, gather_s=_GATHER_S)
        self._open: Counter[int] = Counter()
        """How many deliveries of each claim have not come back."""
        self._finished: list[int] = []

    def add_claimed(self, claimed: Iterable[Delivery]) -> None:
        """Count these deliveries as open under their claims."""
        self._open.update(one.claim_id for one in claimed)

    def count_returned(self, claim_ids: Iterable[int]) -> None:
        """Count one delivery of each named claim as returned; a claim may be named more than once."""
        for claim_id in claim_ids:
            self._open[claim_id] -= 1
            if self._open[claim_id] <= 0:
                del self._open[claim_id]
                self._finished.append(claim_id)

    async def commit(self, outcome: DeliveryOutcome | None, request: HandoffRequest | None = None) -> bool:
        """Commit the outcome of a letter and hand over the next one; returns whether that one may be sent now.

        Raises what the commit raised, DatabaseUnavailable among others.
        """
        if outcome is None and request is None:
            return False
        if outcome is not None:
            self.count_returned((outcome.claim_id,))
        return await self._group.add((outcome, request))

    async def delete_finished_claims(self) -> None:
        """Delete the claims that are finished, where no letter's commit has done so."""
        if self._finished:
            # Behind all outcomes: of a claim deleted before its last outcome is written, nobody would own that letter.
            await self._group.add((None, None))

    async def wait_until_idle(self) -> None:
        """Wait until all that was given to `commit` is written, or has failed."""
        await self._group.wait_until_idle()

    async def _commit_batch(self, steps: Sequence[_Step]) -> list[bool]:
        outcomes = [outcome for outcome, _ in steps if outcome is not None]
        requests = [request for _, request in steps if request is not None]
        finished, self._finished = self._finished, []
        handed = await self._database.write(
            gate.commit_batch, self._worker_id, outcomes, requests, finished, self._clock()
        )
        self.count_returned(one.claim_id for one in requests if one.delivery_id not in handed)
        return [request is not None and request.delivery_id in handed for _, request in steps]
