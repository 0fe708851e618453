"""Sending what is due: claim it, have its letters written and carried, and put back what was not."""

from __future__ import annotations

import asyncio
import math
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from mailer.actions.delivery.deliver import deliver_letters
from mailer.actions.delivery.queue_feeder import fill_queue, requeue_unsent
from mailer.actions.delivery.render_ahead import render_ahead
from mailer.actions.delivery.render_letter import RenderedLetter
from mailer.actions.delivery.send_worker import SendWorker
from mailer.errors import RelayUnavailable, WorkerFailed
from mailer.relay.route import NOTICE_SHARE, Route

_log = structlog.get_logger()

_POLL_S = 1.0
_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 1.0, 60.0
"""How long nobody new is sent to a relay that did not let us in: longer each time, unless it was well for a while."""
_LAST_REPLIES_S = 10.0
"""How long, after trouble, the answers to letters already given are awaited."""
_REFUSED_WAIT = timedelta(minutes=5)
"""How long a relay is left alone that answered that it does not want us."""
_RENDER_TASKS = 3 * (os.cpu_count() or 1)
"""Batches for each core: one is signed, one waits there to be, one is made."""


@dataclass(slots=True)
class _Tasks:
    """Who works at a desk during one run."""

    delivery_tasks: dict[Route[RenderedLetter], list[asyncio.Task[None]]] = field(default_factory=dict)
    render_tasks: list[asyncio.Task[None]] = field(default_factory=list)
    backoff_until: dict[Route[RenderedLetter], float] = field(default_factory=dict)
    """Until when (the loop's time) nobody new is sent to a relay that did not let us in."""
    backoff_s: dict[Route[RenderedLetter], float] = field(default_factory=dict)

    def all_tasks(self) -> list[asyncio.Task[None]]:
        return [*self.render_tasks, *(one for carriers in self.delivery_tasks.values() for one in carriers)]


async def send(worker: SendWorker) -> int:
    """Send until nothing is due, or the service closes; how many letters were handed.

    Raises RelayUnavailable when no relay is to be had, DatabaseUnavailable when the ledger fails, WorkerFailed or
    whatever else broke one of those who work here. What was claimed and did not come to the gate is put back in any
    case; unless the desk is `intact` afterwards, the worker is to be given up: others take back what it had.
    """
    worker.handed, worker.unanswered, worker.stopping, worker.intact = 0, 0, False, False
    tasks, away = _Tasks(), None
    try:
        tasks.render_tasks.append(asyncio.create_task(_wake_on_closing(worker)))
        while away is None and (
            await fill_queue(worker) or (not worker.closing and (worker.claimed or worker.scheduler.in_flight))
        ):
            _start_tasks(worker, tasks)
            away = await _wait_for_wakeup(worker, tasks)
        await _stop_tasks(worker, tasks)
        away = away or _collect_ended_tasks(worker, tasks)
    except Exception:
        # Who has given a letter may still hear its answer: what is cut off is of unknown fate.
        await _stop_tasks(worker, tasks, _LAST_REPLIES_S)
        raise
    finally:
        await _cancel_and_requeue(worker, tasks)
    if worker.unanswered:
        raise WorkerFailed(f"{worker.unanswered} letters were cut off on their way")
    worker.intact = True
    if away is not None:
        raise away
    return worker.handed


async def _wake_on_closing(worker: SendWorker) -> None:
    await worker.app.wakeups.closing.wait()
    worker.feeder_wakeup.set()


def _start_tasks(worker: SendWorker, tasks: _Tasks) -> None:
    """Have as many at work as there is work for; a relay that was held, or away, is tried by one."""
    now, time = worker.app.clock(), asyncio.get_running_loop().time()
    while len(tasks.render_tasks) < 1 + _RENDER_TASKS:
        tasks.render_tasks.append(asyncio.create_task(render_ahead(worker)))
    for route in worker.routes:
        carriers = tasks.delivery_tasks.setdefault(route, [])
        if route.lane.closed(now) or tasks.backoff_until.get(route, 0.0) > time:
            continue
        route.raise_max_connections(time)
        wanted = 1 if route.lane.closed_until is not None else min(route.max_connections, max(1, len(worker.claimed)))
        carriers += [asyncio.create_task(deliver_letters(worker, route)) for _ in range(wanted - len(carriers))]


async def _wait_for_wakeup(worker: SendWorker, tasks: _Tasks) -> RelayUnavailable | None:
    """Wait until there is something to look at; learn who ended, and why there is no relay any more."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_POLL_S):
            await worker.feeder_wakeup.wait()
    worker.feeder_wakeup.clear()
    return _collect_ended_tasks(worker, tasks)


def _collect_ended_tasks(worker: SendWorker, tasks: _Tasks) -> RelayUnavailable | None:
    """Raise what broke a worker; of a relay that sent somebody away, remember that it did.

    Where no relay is left, why.
    """
    for writer in [one for one in tasks.render_tasks if one.done()]:
        tasks.render_tasks.remove(writer)
        _raise_task_error(writer)
    troubles = [trouble for route in tasks.delivery_tasks if (trouble := _collect_route_failures(worker, tasks, route))]
    return troubles[-1] if troubles and not any(tasks.delivery_tasks.values()) else None


def _raise_task_error(task: asyncio.Task[None]) -> None:
    """Raise why it did not end of itself; nobody is cancelled before all are sent home."""
    if task.cancelled():
        raise WorkerFailed("a task of a worker that sends was cancelled")
    task.result()


def _collect_route_failures(worker: SendWorker, tasks: _Tasks, route: Route[RenderedLetter]) -> RelayUnavailable | None:
    """Why the relay sent some of us away since we last looked, if it did."""
    carriers, trouble = tasks.delivery_tasks[route], None
    for ended in [one for one in carriers if one.done()]:
        carriers.remove(ended)
        try:
            _raise_task_error(ended)
        except RelayUnavailable as away:
            trouble = away
    if trouble:
        time = asyncio.get_running_loop().time()
        lately = time - tasks.backoff_until.get(route, -math.inf) < _LONGEST_BACKOFF_S
        tasks.backoff_s[route] = min(tasks.backoff_s[route] * 2, _LONGEST_BACKOFF_S) if lately else _FIRST_BACKOFF_S
        tasks.backoff_until[route] = time + tasks.backoff_s[route]
        if not carriers:
            _mark_relay_down(worker, route, trouble)
        elif trouble.too_many_connections:
            # One fewer than it took: notices need a connection, too.
            route.lower_max_connections(len(carriers) - max(1, round(NOTICE_SHARE * len(carriers))), time)
    return trouble


def _mark_relay_down(worker: SendWorker, route: Route[RenderedLetter], trouble: RelayUnavailable) -> None:
    """Nobody gets through to this relay: its letters go to others, and it is tried by one until it takes a letter."""
    now = worker.app.clock()
    worker.recall(route)
    if not route.lane.closed(now):
        route.lane.close(now + _REFUSED_WAIT if trouble.refused else now, str(trouble))
        worker.changed_lanes.append(route.lane)
    worker.renderer_wakeup.set()


async def _stop_tasks(worker: SendWorker, tasks: _Tasks, within_s: float | None = None) -> None:
    """Let everyone end their letter, note its fate and hang up."""
    worker.stopping = True
    for writer in tasks.render_tasks:
        writer.cancel()
    for route in worker.routes:
        route.wake_all()
    if everyone := tasks.all_tasks():
        await asyncio.wait(everyone, timeout=within_s)
    tasks.render_tasks = [one for one in tasks.render_tasks if not one.cancelled()]


async def _cancel_and_requeue(worker: SendWorker, tasks: _Tasks) -> None:
    """Cut off whoever is still at work, and put back whatever did not come to the gate."""
    worker.stopping = True
    everyone = tasks.all_tasks()
    for one in everyone:
        one.cancel()
    try:
        await asyncio.gather(*everyone, return_exceptions=True)
        await requeue_unsent(worker)
    finally:
        await worker.ledger.wait_until_idle()
