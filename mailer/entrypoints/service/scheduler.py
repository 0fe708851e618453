"""The clock: APScheduler says "now" once a second; what is due, the ledger says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler

TICK_S = 1


@contextmanager
def tick_every_second(on_tick: Callable[[], None]) -> Iterator[None]:
    """Call `ring` every second while the block runs.

    The job only wakes tasks that the service owns: the scheduler's shutdown would cancel coroutines of its own.
    """
    scheduler = AsyncIOScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )

    async def tick() -> None:
        on_tick()

    scheduler.add_job(tick, "interval", seconds=TICK_S)
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
