import asyncio

import pytest

from mailer.app import App
from mailer.entrypoints.service.jobs import run_job
from mailer.errors import DatabaseMoved, DatabaseUnavailable


async def test_a_job_works_each_time_it_is_due_and_ends_with_the_service(app: App) -> None:
    due, done = asyncio.Event(), asyncio.Queue[int]()

    async def work() -> None:
        done.put_nowait(1)

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(run_job(app, due, work))
        for _ in range(3):
            due.set()
            await done.get()
        app.wakeups.closing.set()

    assert (task.done(), done.empty()) == (True, True)


async def test_a_job_goes_on_after_the_database_was_unavailable(app: App) -> None:
    due, done = asyncio.Event(), asyncio.Queue[int]()
    errors: list[Exception] = [DatabaseUnavailable("the disk is full")]

    async def work() -> None:
        done.put_nowait(1)
        if errors:
            raise errors.pop()

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(run_job(app, due, work))
        for _ in range(2):
            due.set()
            await done.get()
        app.wakeups.closing.set()


@pytest.mark.parametrize("error", [DatabaseMoved("it is elsewhere"), RuntimeError("a fault")])
async def test_a_job_whose_error_is_not_a_passing_one_ends_the_service(app: App, error: Exception) -> None:
    due = asyncio.Event()
    due.set()

    async def work() -> None:
        raise error

    with pytest.raises(type(error)):
        await run_job(app, due, work)
