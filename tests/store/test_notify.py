"""A committed write sets the events of what it gave others to do; one that is rolled back sets none."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import Connection

from mailer.store.database import Database
from mailer.store.notify import Wakeup, listen, notify, notify_own_process
from tests.support.app_helpers import on_postgresql


class Recorder:
    """Remembers the wake-ups of each commit."""

    def __init__(self, database: Database) -> None:
        self.commits: list[frozenset[Wakeup]] = []
        database.on_commit(self.commits.append)


async def test_the_events_are_set_before_the_write_returns_and_only_those_that_were_marked(database: Database) -> None:
    seen = Recorder(database).commits

    def work(tx: Connection) -> None:
        notify(tx, Wakeup.NOTICES)
        notify_own_process(tx, Wakeup.INCOMING)

    await database.write(work)
    await database.write(lambda _: None)

    assert seen == [{Wakeup.NOTICES, Wakeup.INCOMING}]


async def test_a_transaction_that_was_rolled_back_wakes_nobody(database: Database) -> None:
    seen = Recorder(database).commits

    def work(tx: Connection) -> None:
        notify(tx, Wakeup.NOTICES)
        raise LookupError("no such thing")

    with pytest.raises(LookupError):
        await database.write(work)
    # In all threads that write.
    for _ in range(8):
        await database.write(notify, Wakeup.SCHEDULE)

    assert seen == [{Wakeup.SCHEDULE}] * 8


async def test_a_commit_wakes_others_even_if_its_caller_was_cancelled_meanwhile(database: Database) -> None:
    woken = asyncio.Event()
    database.on_commit(lambda _: woken.set())
    began = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work(tx: Connection) -> None:
        loop.call_soon_threadsafe(began.set)
        notify(tx, Wakeup.NOTICES)

    caller = asyncio.create_task(database.write(work))
    await began.wait()
    caller.cancel()

    await asyncio.wait_for(woken.wait(), 5)


@on_postgresql
async def test_other_processes_are_notified_of_a_commit(database: Database) -> None:
    notified = asyncio.Event()
    listening = asyncio.create_task(listen(database.engine, notified.set))

    async with asyncio.timeout(10):
        while not notified.is_set():  # until the session listens
            await database.write(notify, Wakeup.NOTICES)
            await asyncio.sleep(0.05)

    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
