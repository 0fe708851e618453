"""SendTasks: the render and delivery tasks of one run; starts them, learns why they ended, and stops them."""

from __future__ import annotations

import asyncio
import math
import os
from contextlib import suppress
from datetime import timedelta

from mailer.actions.delivery.deliver import deliver_letters
from mailer.actions.delivery.render_ahead import render_ahead
from mailer.actions.delivery.render_letter import RenderedLetter
from mailer.actions.delivery.send_worker import SendWorker
from mailer.errors import RelayUnavailable, WorkerFailed
from mailer.relay.route import NOTICE_SHARE, Route

_POLL_S = 1.0
_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 1.0, 60.0
"""How long no connection is opened to a relay after one failed: doubled each time, unless it was well for a while."""
_REFUSED_WAIT = timedelta(minutes=5)
"""How long the lane of a relay is closed that answered our connection with a permanent refusal."""
_RENDER_TASKS = 3 * (os.cpu_count() or 1)
"""Batches for each core: one is signed, one waits to be signed, one is rendered."""


class SendTasks:
    """The tasks of one run of a worker."""

    def __init__(self, worker: SendWorker) -> None:
        self._worker = worker
        self._background: list[asyncio.Task[None]] = []
        """Render tasks, and the one that watches for the end of the service."""
        self._delivery: dict[Route[RenderedLetter], list[asyncio.Task[None]]] = {}
        self._backoff_until: dict[Route[RenderedLetter], float] = {}
        """In the loop's time: until then no connection is opened to a relay that failed."""
        self._backoff_s: dict[Route[RenderedLetter], float] = {}

    def start_watching_close(self) -> None:
        """Wake the queue feeder when the service closes."""
        self._background.append(asyncio.create_task(self._wake_on_closing()))

    async def _wake_on_closing(self) -> None:
        await self._worker.app.wakeups.closing.wait()
        self._worker.queue.feeder_wakeup.set()

    def start_missing(self) -> None:
        """Start as many tasks as there is work for; a relay whose lane was closed is tried by one connection."""
        worker, time = self._worker, asyncio.get_running_loop().time()
        now = worker.app.clock()
        while len(self._background) < 1 + _RENDER_TASKS:
            self._background.append(asyncio.create_task(render_ahead(worker)))
        for route in worker.routes:
            tasks = self._delivery.setdefault(route, [])
            if route.lane.closed(now) or self._backoff_until.get(route, 0.0) > time:
                continue
            route.raise_max_connections(time)
            is_trial = route.lane.closed_until is not None
            wanted = 1 if is_trial else min(route.max_connections, max(1, len(worker.queue.claimed)))
            tasks += [asyncio.create_task(deliver_letters(worker, route)) for _ in range(wanted - len(tasks))]

    async def wait_for_change(self) -> RelayUnavailable | None:
        """Wait until the queue feeder has work, at most a second; then as `collect_ended`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_S):
                await self._worker.queue.feeder_wakeup.wait()
        self._worker.queue.feeder_wakeup.clear()
        return self.collect_ended()

    def collect_ended(self) -> RelayUnavailable | None:
        """Remove ended tasks, and back off from relays that failed; returns the error if no relay is left.

        Raises whatever else ended a task.
        """
        for task in [one for one in self._background if one.done()]:
            self._background.remove(task)
            _raise_task_error(task)
        errors = [error for route in self._delivery if (error := self._collect_route(route))]
        return errors[-1] if errors and not any(self._delivery.values()) else None

    def _collect_route(self, route: Route[RenderedLetter]) -> RelayUnavailable | None:
        tasks, failure = self._delivery[route], None
        for task in [one for one in tasks if one.done()]:
            tasks.remove(task)
            try:
                _raise_task_error(task)
            except RelayUnavailable as error:
                failure = error
        if failure is not None:
            self._back_off(route, failure)
        return failure

    def _back_off(self, route: Route[RenderedLetter], failure: RelayUnavailable) -> None:
        time, connections = asyncio.get_running_loop().time(), len(self._delivery[route])
        failed_lately = time - self._backoff_until.get(route, -math.inf) < _LONGEST_BACKOFF_S
        doubled_s = min(self._backoff_s.get(route, 0.0) * 2, _LONGEST_BACKOFF_S)
        self._backoff_s[route] = doubled_s if failed_lately else _FIRST_BACKOFF_S
        self._backoff_until[route] = time + self._backoff_s[route]
        if not connections:
            self._mark_relay_down(route, failure)
        elif failure.too_many_connections:
            # One fewer than the relay took: notices need a connection, too.
            route.lower_max_connections(connections - max(1, round(NOTICE_SHARE * connections)), time)

    def _mark_relay_down(self, route: Route[RenderedLetter], failure: RelayUnavailable) -> None:
        """No connection is left: give its letters to other routes, and close its lane until it accepts one letter."""
        queue, now = self._worker.queue, self._worker.app.clock()
        queue.recall(route)
        if not route.lane.closed(now):
            route.lane.close(now + _REFUSED_WAIT if failure.refused else now, str(failure))
            queue.add_changed_lane(route.lane)
        queue.renderer_wakeup.set()

    async def stop(self, within_s: float | None = None) -> None:
        """Let every delivery task finish its letter, record the outcome and hang up; stop rendering at once."""
        self._worker.stop_run()
        for task in self._background:
            task.cancel()
        if tasks := self._all():
            await asyncio.wait(tasks, timeout=within_s)
        self._background = [one for one in self._background if not one.cancelled()]

    async def cancel(self) -> None:
        """Cancel all tasks that still run: their letters are cut off."""
        self._worker.stop_run()
        tasks = self._all()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _all(self) -> list[asyncio.Task[None]]:
        return [*self._background, *(task for tasks in self._delivery.values() for task in tasks)]


def _raise_task_error(task: asyncio.Task[None]) -> None:
    """Raise why a task ended, if not by itself. No task is cancelled before `stop`."""
    if task.cancelled():
        raise WorkerFailed("a task of the send worker was cancelled from outside; the worker is replaced")
    task.result()
