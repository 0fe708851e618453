import asyncio

from mailer.entrypoints.service.scheduler import run_scheduler


async def test_a_job_sets_its_event_at_once_and_again_after_its_interval() -> None:
    with run_scheduler() as scheduler:
        due = scheduler.add_event("count", 0.05)
        times = []
        async with asyncio.timeout(10):
            for _ in range(3):
                await due.wait()
                due.clear()
                times.append(asyncio.get_running_loop().time())

    assert times[2] - times[0] > 0.05


async def test_no_job_runs_after_the_block() -> None:
    with run_scheduler() as scheduler:
        due = scheduler.add_event("count", 0.01)
        await due.wait()

    due.clear()
    await asyncio.sleep(0.05)

    assert not due.is_set()


async def test_jobs_have_names_run_in_utc_once_at_a_time_and_are_never_dropped_for_being_late() -> None:
    with run_scheduler() as scheduler:
        scheduler.add_job("look for due work", 1, lambda: None)
        [job] = scheduler._scheduler.get_jobs()

    assert (job.id, job.name) == ("look for due work", "look for due work")
    assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
    assert str(job.trigger.timezone) == "UTC"
