"""Items that are added while a batch is committed share the next one; each caller gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest

from mailer.errors import DatabaseUnavailable
from mailer.store.group_commit import GroupCommit


class Writer:
    """Doubles each number; fails for those in `refused`; waits before each batch until `may_go` is set."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.refused: dict[int, Exception] = {}
        self.began, self.may_go = asyncio.Event(), asyncio.Event()
        self.may_go.set()

    async def commit(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        self.began.set()
        await self.may_go.wait()
        for number in numbers:
            if number in self.refused:
                raise self.refused[number]
        return [2 * number for number in numbers]


async def add_all(group: GroupCommit[int, int], *numbers: int) -> list[int | BaseException]:
    return await asyncio.gather(*(group.add(number) for number in numbers), return_exceptions=True)


async def test_what_comes_while_a_batch_is_committed_shares_the_next_one_and_each_gets_its_result() -> None:
    writer = Writer()
    group = GroupCommit(writer.commit)
    writer.may_go.clear()

    first = asyncio.create_task(group.add(1))
    await writer.began.wait()
    others = asyncio.create_task(add_all(group, 2, 3, 4))
    await asyncio.sleep(0)
    writer.may_go.set()

    assert (await first, await others) == (2, [4, 6, 8])
    assert writer.batches == [[1], [2, 3, 4]]


async def test_a_batch_has_at_most_so_many_items() -> None:
    writer = Writer()

    assert await add_all(GroupCommit(writer.commit, max_batch=2), 1, 2, 3, 4, 5) == [2, 4, 6, 8, 10]
    assert writer.batches == [[1, 2], [3, 4], [5]]


async def test_a_failure_fails_the_whole_batch_unless_failures_are_isolated() -> None:
    writer = Writer()
    writer.refused[2] = ValueError("no")

    shared = await add_all(GroupCommit(writer.commit), 1, 2, 3)
    alone = await add_all(GroupCommit(writer.commit, isolate_failures=True), 1, 2, 3)

    assert shared == [writer.refused[2]] * 3
    assert alone == [2, writer.refused[2], 6]


async def test_a_database_that_is_unavailable_is_not_asked_again_for_each_item() -> None:
    writer = Writer()
    writer.refused[2] = DatabaseUnavailable("gone")

    assert await add_all(GroupCommit(writer.commit, isolate_failures=True), 1, 2) == [writer.refused[2]] * 2
    assert writer.batches == [[1, 2]]


async def test_callers_get_an_error_when_the_commit_is_cancelled_and_the_next_item_is_committed() -> None:
    writer = Writer()
    group = GroupCommit(writer.commit)
    writer.may_go.clear()
    waiting = [asyncio.create_task(group.add(number)) for number in (1, 2)]
    await writer.began.wait()

    assert group._running is not None
    group._running.cancel()
    with suppress(asyncio.CancelledError):
        await group._running
    writer.may_go.set()

    for one in waiting:
        with pytest.raises(DatabaseUnavailable, match="interrupted"):
            await one
    assert await group.add(3) == 6


async def test_idle_means_that_everything_added_is_committed() -> None:
    writer = Writer()
    group = GroupCommit(writer.commit)
    await group.wait_until_idle()
    adding = [asyncio.create_task(group.add(number)) for number in (1, 2)]
    await asyncio.sleep(0)

    await group.wait_until_idle()

    assert writer.batches == [[1, 2]]
    assert await asyncio.gather(*adding) == [2, 4]
