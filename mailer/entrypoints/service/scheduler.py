"""Scheduler: named periodic jobs of the service (APScheduler); each job only sets events that tasks wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler


class JobScheduler:
    """Adds jobs to a running APScheduler: in memory, UTC, never two runs of a job at once, missed runs become one."""

    def __init__(self, scheduler: AsyncIOScheduler) -> None:
        self._scheduler = scheduler

    def add_job(self, name: str, every_s: float, signal: Callable[[], None], *, first_in_s: float = 0) -> None:
        """Call `signal` now, or first in so many seconds, and then every so many seconds; it must only set events."""

        async def run() -> None:  # a coroutine, since APScheduler runs plain functions in a thread
            signal()

        first = datetime.now(UTC) + timedelta(seconds=first_in_s)
        self._scheduler.add_job(run, "interval", seconds=every_s, id=name, name=name, next_run_time=first)

    def add_event(self, name: str, every_s: float) -> asyncio.Event:
        """A new event that the job of this name sets now and then every so many seconds."""
        event = asyncio.Event()
        self.add_job(name, every_s, event.set)
        return event


@contextmanager
def run_scheduler() -> Iterator[JobScheduler]:
    """Run a scheduler while the block runs.

    Jobs do no work themselves: the scheduler's shutdown would cancel their coroutines.
    """
    scheduler = AsyncIOScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    scheduler.start()
    try:
        yield JobScheduler(scheduler)
    finally:
        scheduler.shutdown(wait=False)
