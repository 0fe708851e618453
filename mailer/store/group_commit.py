"""Group commit: all items that are added while one transaction runs share the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

from mailer.errors import DatabaseUnavailable

T = TypeVar("T")
R = TypeVar("R")


class GroupCommit(Generic[T, R]):
    """Commits items in batches, one batch at a time: the more callers wait, the more items share a commit."""

    def __init__(
        self,
        commit: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        gather_s: float = 0.0,
        max_batch: int | None = None,
        isolate_failures: bool = False,
    ) -> None:
        """`commit` writes a batch and returns one result for each item; `gather_s` is how long a batch waits for more.

        `isolate_failures`: the items of a batch that failed are committed one by one, unless the database is
        unavailable, so that one bad item does not fail the others.
        """
        self._commit, self._gather_s = commit, gather_s
        self._max_batch, self._isolate_failures = max_batch, isolate_failures
        self._waiters: list[tuple[T, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None

    async def add(self, item: T) -> R:
        """Return the item's result once it is committed. Raises what its commit raised.

        DatabaseUnavailable where the commit was interrupted and nobody knows whether the item was written.
        """
        committed: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiters.append((item, committed))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await committed

    async def wait_until_idle(self) -> None:
        """Wait until all items added so far are committed or have failed."""
        if self._running is not None:
            await asyncio.wait({self._running})

    async def _run(self) -> None:
        batch: list[tuple[T, asyncio.Future[R]]] = []
        try:
            while self._waiters:
                await asyncio.sleep(self._gather_s)
                batch = self._waiters[: self._max_batch]
                del self._waiters[: len(batch)]
                await self._commit_batch(batch)
        finally:
            # However this ends, every caller gets an answer.
            left, self._waiters = [*batch, *self._waiters], []
            _fail(left, DatabaseUnavailable("the commit was interrupted: nobody knows whether this was written"))

    async def _commit_batch(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._commit([item for item, _ in batch])
        except Exception as error:
            if self._isolate_failures and len(batch) > 1 and not isinstance(error, DatabaseUnavailable):
                for one in batch:
                    await self._commit_batch([one])
            else:
                _fail(batch, error)
            return
        for (_, committed), result in zip(batch, results, strict=True):
            if not committed.done():
                committed.set_result(result)


def _fail(waiters: Iterable[tuple[T, asyncio.Future[R]]], error: Exception) -> None:
    for _, committed in waiters:
        if not committed.done():
            committed.set_exception(error)
