"""Background tasks of `serve` and `worker`: each waits for an event, works, and tries again later after an error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import structlog

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.delivery.send import send
from mailer.actions.delivery.send_worker import SendWorker, start_worker
from mailer.actions.inbound.record_bounce import record_feedback
from mailer.app import App
from mailer.errors import DatabaseUnavailable, RelayUnavailable, SigningUnavailable, WorkerFailed
from mailer.relay.route import Priority

_log = structlog.get_logger()

_EXPECTED_ERRORS = (RelayUnavailable, DatabaseUnavailable, SigningUnavailable, WorkerFailed)
_LONGEST_PAUSE_S = 60
_STABLE_S = 10
"""After so long without an error the pauses begin again at one second."""
_REFUSAL_BATCH, _REFUSALS_INTERVAL_S, _REST_FACTOR = 10, 1.0, 10
"""Refusals recorded in one transaction (20 ms), and how often; where there are more, a tenth of the time."""
_HANDED_WAIT_S = 30
"""How long, at the end, the replies to letters already handed are awaited."""


def start_sending(app: App, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
    """Start the tasks that launch campaigns, send letters and listen to other processes; returns those that send."""
    group.create_task(run_when_signalled(app, app.wakeups.schedule, partial(launch_due, app)))
    if app.presence.is_needed:
        group.create_task(_listen_for_notify(app))
    sending = [group.create_task(_send_priority(app, priority)) for priority in Priority]
    group.create_task(_record_refusals(app, sending))
    return sending


async def _record_refusals(app: App, sending: list[asyncio.Task[None]]) -> None:
    """Record refusals by relays about once a second, and all that are left when sending ends."""
    while not all(task.done() for task in sending):
        began, rest_s = time.monotonic(), _REFUSALS_INTERVAL_S
        try:
            await record_refusal_batch(app)
            if app.pending_refusals:
                rest_s = _REST_FACTOR * (time.monotonic() - began)
        except DatabaseUnavailable as error:
            _log.warning("waiting to record refusals", error=str(error))
        except Exception:
            rest_s = _LONGEST_PAUSE_S
            _log.exception("failed to record refusals", retry_in_s=rest_s)
        await asyncio.wait(sending, timeout=rest_s)
    try:
        while app.pending_refusals:
            await record_refusal_batch(app)
    except Exception as error:
        _log.warning("skipped refusals", number=len(app.pending_refusals), error=str(error))


async def record_refusal_batch(app: App) -> None:
    """Record the oldest refusals as bounces, few at a time, so that no letter waits long for the database."""
    if batch := app.pending_refusals.oldest(_REFUSAL_BATCH):
        await record_feedback(app, batch)
        app.pending_refusals.remove_oldest(len(batch))


async def _send_priority(app: App, priority: Priority) -> None:
    """Send letters of one priority; a worker that failed is abandoned, and a new one recovers what it had.

    A worker stays if only the relay failed and no letter was on its way.
    """
    worker: SendWorker | None = None
    predecessor: SendWorker | None = None

    async def work() -> None:
        nonlocal worker, predecessor
        try:
            worker = worker or await start_worker(app, priority, predecessor=predecessor)
            predecessor = worker
            await send(worker)
        finally:
            if worker is not None and not worker.is_intact:
                failed, worker = worker, None
                await failed.abandon()

    await run_when_signalled(app, app.wakeups.for_priority(priority), work)


async def run_when_signalled(app: App, wakeup: asyncio.Event, work: Callable[[], Awaitable[object]]) -> None:
    """Do the work each time the event is set, until the service closes; after an error again, with growing pauses.

    Expected errors are logged in a line, others with their traceback; none ends this task.
    """
    pause_s = 1
    while await wakeup.wait() and not app.wakeups.closing.is_set():
        wakeup.clear()
        began = time.monotonic()
        try:
            await work()
            pause_s = 1
            continue
        except _EXPECTED_ERRORS as error:
            pause_s = pause_s if time.monotonic() - began < _STABLE_S else 1
            _log.warning("waiting after an error", error=str(error), retry_in_s=pause_s)
        except Exception:
            _log.exception("failed", retry_in_s=pause_s)
        await sleep_unless_closing(app, pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        wakeup.set()


async def sleep_unless_closing(app: App, seconds: float) -> None:
    """Sleep, but not beyond the end of the service."""
    with suppress(TimeoutError):
        await asyncio.wait_for(app.wakeups.closing.wait(), seconds)


async def _listen_for_notify(app: App) -> None:
    """Set the wakeups when another process sends NOTIFY; while that fails, the scheduler's job does, a little later."""
    while not app.wakeups.closing.is_set():
        with suppress(DatabaseUnavailable):
            await app.wakeups.run_unless_closing(app.listen_to_other_processes())
        await sleep_unless_closing(app, _LONGEST_PAUSE_S / 10)


async def cancel_after_timeout(sending: list[asyncio.Task[None]]) -> None:
    """Wait for the sending tasks, then cancel them: letters without a reply are recovered at the next start."""
    _, pending = await asyncio.wait(sending, timeout=_HANDED_WAIT_S)
    for task in pending:
        task.cancel()
