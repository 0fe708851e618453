"""What `serve` and `worker` keep doing: look into the ledger when a bell rings, and come again after trouble."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import structlog

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.delivery.send import send
from mailer.actions.delivery.send_worker import SendWorker, abandon_worker, start_worker
from mailer.actions.inbound.record_bounce import record_feedback
from mailer.app import App
from mailer.errors import DatabaseUnavailable, RelayUnavailable, SigningUnavailable, WorkerFailed
from mailer.relay.route import Priority

_log = structlog.get_logger()

_EXPECTED_ERRORS = (RelayUnavailable, DatabaseUnavailable, SigningUnavailable, WorkerFailed)
_LONGEST_PAUSE_S = 60
_STABLE_S = 10
"""After so long without trouble the next is a new one."""
_REFUSAL_BATCH, _REFUSALS_INTERVAL_S, _REST_FACTOR = 10, 1.0, 10
"""Refusals acted on in one transaction (20 ms), and how often; where there are more, a tenth of the time."""
_HANDED_WAIT_S = 30
"""How long, at the end, the answers to letters already handed are awaited."""


def start_sending(app: App, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
    """Launch and send whatever is due, and hear what other nodes hint at; the tasks that send."""
    group.create_task(run_when_signalled(app, app.wakeups.schedule, partial(launch_due, app)))
    if app.presence.is_needed:
        group.create_task(_listen_for_notify(app))
    sending = [group.create_task(_send_priority(app, priority)) for priority in Priority]
    group.create_task(_process_refusals(app, sending))
    return sending


async def _process_refusals(app: App, sending: list[asyncio.Task[None]]) -> None:
    """Act on what relays refuse, about once a second; at the end on all that is left.

    What is in memory only is lost in a crash: the next campaign meets those readers again.
    """
    while not all(task.done() for task in sending):
        began, rest_s = time.monotonic(), _REFUSALS_INTERVAL_S
        try:
            await process_refused_batch(app)
            if app.pending_refusals:
                rest_s = _REST_FACTOR * (time.monotonic() - began)
        except DatabaseUnavailable as trouble:
            _log.warning("trouble", what=str(trouble))
        except Exception:
            _log.exception("refusals wait")
            rest_s = _LONGEST_PAUSE_S
        await asyncio.wait(sending, timeout=rest_s)
    try:
        while app.pending_refusals:
            await process_refused_batch(app)
    except Exception as trouble:
        _log.warning("refusals are forgotten", number=len(app.pending_refusals), why=str(trouble))


async def process_refused_batch(app: App) -> None:
    """Act on the oldest refusals: so few that no letter waits long for the ledger."""
    if batch := app.pending_refusals[:_REFUSAL_BATCH]:
        await record_feedback(app, batch)
        del app.pending_refusals[: len(batch)]


async def _send_priority(app: App, priority: Priority) -> None:
    """Send in one priority; a worker that failed is given up like a dead one, and another takes back what it had.

    Whatever failed, unless no relay was to be had and no letter was on its way.
    """
    worker: SendWorker | None = None
    before: SendWorker | None = None

    async def work() -> None:
        nonlocal worker, before
        try:
            worker = worker or await start_worker(app, priority, predecessor=before)
            before = worker
            await send(worker)
        finally:
            if worker is not None and not worker.intact:
                lost, worker = worker, None
                await abandon_worker(lost)

    await run_when_signalled(app, app.wakeups.for_priority(priority), work)


async def run_when_signalled(app: App, wakeup: asyncio.Event, work: Callable[[], Awaitable[object]]) -> None:
    """Do the work each time the bell rings; where we can do nothing for now, wait, longer each time.

    Whatever else breaks the work is logged in full, and ends neither the service nor this.
    """
    pause_s = 1
    while await wakeup.wait() and not app.wakeups.closing.is_set():
        wakeup.clear()
        began = time.monotonic()
        try:
            await work()
            pause_s = 1
            continue
        except _EXPECTED_ERRORS as trouble:
            pause_s = pause_s if time.monotonic() - began < _STABLE_S else 1
            _log.warning("trouble", what=str(trouble), trying_again_in_s=pause_s)
        except Exception:
            _log.exception("trouble", trying_again_in_s=pause_s)
        await sleep_unless_closing(app, pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        wakeup.set()


async def sleep_unless_closing(app: App, seconds: float) -> None:
    """Wait, but not beyond the end of the service."""
    with suppress(TimeoutError):
        await asyncio.wait_for(app.wakeups.closing.wait(), seconds)


async def _listen_for_notify(app: App) -> None:
    """Ring the bells when another node hints at something; without hints the clock does, a little later."""
    while not app.wakeups.closing.is_set():
        hearing = asyncio.ensure_future(app.listen_to_other_processes())
        closing = asyncio.ensure_future(app.wakeups.closing.wait())
        await asyncio.wait((hearing, closing), return_when=asyncio.FIRST_COMPLETED)
        for one in (hearing, closing):
            one.cancel()
        for ended in await asyncio.gather(hearing, closing, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, DatabaseUnavailable):
                raise ended
        await sleep_unless_closing(app, _LONGEST_PAUSE_S / 10)


async def cancel_after_timeout(sending: list[asyncio.Task[None]]) -> None:
    """End the wait for a relay that does not answer: those letters are of unknown fate, and known by name."""
    _, pending = await asyncio.wait(sending, timeout=_HANDED_WAIT_S)
    for task in pending:
        task.cancel()
