"""The service's periodic jobs: how often each is due, and the work its task does then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from mailer.actions.archive.receive_webmention import verify_webmentions
from mailer.actions.maintenance.check_health import check_database_health, check_sending_health
from mailer.actions.maintenance.count_people import AudienceRecounts, count_days, recount_audiences
from mailer.actions.maintenance.end_pauses import end_pauses
from mailer.actions.maintenance.purge import purge
from mailer.actions.maintenance.requeue_orphans import requeue_orphans
from mailer.actions.maintenance.weekly_report import send_weekly_reports
from mailer.app import App
from mailer.entrypoints.service.scheduler import JobScheduler
from mailer.errors import DatabaseMoved, DatabaseUnavailable

_log = structlog.get_logger()

_DUE_WORK_EVERY_S = 1
"""How often the database is read for work that no event announced: another process wrote it, or its time came."""
_OWNERSHIP_EVERY_S = 2
_DATABASE_HEALTH_EVERY_S = 60
_RECOUNT_EVERY_S = 60
_WEBMENTIONS_EVERY_S = 60
_PAUSES_EVERY_S = 60
_SENDING_HEALTH_EVERY_S, _SENDING_HEALTH_FIRST_IN_S = 600, 30
"""Relays and DNS are not asked at once at start: whoever opens the console before then sets the event."""
_MAINTENANCE_EVERY_S = 600
"""How often the database is asked whether an hour or a week has passed since the last purge or report."""


def schedule_due_work(app: App, scheduler: JobScheduler) -> None:
    """Have all tasks look for due work every second."""
    scheduler.add_job("look for due work", _DUE_WORK_EVERY_S, app.wakeups.notify_all)


def start_jobs(
    app: App, group: asyncio.TaskGroup, scheduler: JobScheduler, check_ownership: Callable[[], None]
) -> None:
    """Schedule all jobs of `serve`, and start a task for each that does its work when it is due."""
    schedule_due_work(app, scheduler)
    jobs: tuple[tuple[str, float, Callable[[], Awaitable[object]]], ...] = (
        ("check database ownership", _OWNERSHIP_EVERY_S, partial(_check_ownership, app, check_ownership)),
        ("check what waits in the database", _DATABASE_HEALTH_EVERY_S, partial(check_database_health, app)),
        ("recount audiences", _RECOUNT_EVERY_S, partial(recount_audiences, app, AudienceRecounts())),
        ("count joins and leaves", _MAINTENANCE_EVERY_S, partial(count_days, app)),
        ("end pauses", _PAUSES_EVERY_S, partial(end_pauses, app)),
        ("purge hourly", _MAINTENANCE_EVERY_S, partial(_purge, app)),
        ("requeue orphans hourly", _MAINTENANCE_EVERY_S, partial(requeue_orphans, app)),
        ("verify Webmentions", _WEBMENTIONS_EVERY_S, partial(verify_webmentions, app)),
        ("send weekly reports", _MAINTENANCE_EVERY_S, partial(send_weekly_reports, app)),
    )
    for name, every_s, work in jobs:
        group.create_task(run_job(app, scheduler.add_event(name, every_s), work), name=name)
    name, every_s, first_in_s = "check relays and DNS", _SENDING_HEALTH_EVERY_S, _SENDING_HEALTH_FIRST_IN_S
    scheduler.add_job(name, every_s, app.wakeups.health.set, first_in_s=first_in_s)
    group.create_task(run_job(app, app.wakeups.health, partial(check_sending_health, app)), name=name)


async def run_job(app: App, due: asyncio.Event, work: Callable[[], Awaitable[object]]) -> None:
    """Do a job's work each time its event is set, until the service closes.

    An unavailable database is logged, and the work is done at the next time. Raises DatabaseMoved and other errors,
    which end the service.
    """
    while await app.wakeups.run_unless_closing(due.wait()):
        due.clear()
        try:
            await work()
        except DatabaseMoved:
            raise
        except DatabaseUnavailable as error:
            _log.warning("waiting for the database", error=str(error))


async def _purge(app: App) -> None:
    if any((purged := await purge(app)).values()):
        _log.info("changed: purged old data", **purged)


async def _check_ownership(app: App, check_ownership: Callable[[], None]) -> None:
    """Raise DatabaseOwned or DatabaseMoved if another process owns the database, or it is not in its place."""
    await asyncio.to_thread(check_ownership)
    await app.database.check_files()
