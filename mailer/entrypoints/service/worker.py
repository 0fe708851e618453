"""`mailer worker`: a process that launches and sends campaigns, beside `serve` on the same PostgreSQL database."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import structlog

from mailer.app import App
from mailer.entrypoints.service.background_tasks import cancel_after_timeout, sleep_unless_closing, start_sending
from mailer.entrypoints.service.jobs import schedule_due_work
from mailer.entrypoints.service.scheduler import run_scheduler

_log = structlog.get_logger()

_RESTART_DELAY_S = 2
_CHILD_STOP_TIMEOUT_S = 35
"""How long a child may take to end: it waits for the answers to the letters it has handed."""


async def run_worker(app: App, *, child: bool) -> None:
    """Launch and send until SIGINT or SIGTERM; a `child` also ends when its standard input closes."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, app.wakeups.closing.set)
    if child:
        loop.add_reader(sys.stdin.fileno(), _close_when_stdin_ends, app)
    try:
        async with asyncio.TaskGroup() as group:
            with run_scheduler() as scheduler:
                schedule_due_work(app, scheduler)
                sending = start_sending(app, group)
                _log.info("started worker", pid=os.getpid())
                app.wakeups.notify_all()
                await app.wakeups.closing.wait()
                _log.info("stopped accepting work, closing", pid=os.getpid())
                app.wakeups.notify_all()
                group.create_task(cancel_after_timeout(sending))
    finally:
        await app.close()


def _close_when_stdin_ends(app: App) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        app.wakeups.closing.set()


def start_worker_processes(app: App, group: asyncio.TaskGroup, number: int) -> None:
    """Run `number` worker processes until the service closes; one that ends is replaced."""
    for _ in range(number):
        group.create_task(_keep_child_running(app, number + 1))


async def _keep_child_running(app: App, processes: int) -> None:
    """Keep one child process running until the service closes."""
    while not app.wakeups.closing.is_set():
        # Spawned, not forked: the child inherits neither our event loop nor threads nor connections.
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mailer", "worker", "--child", "--of", str(processes)),
            stdin=asyncio.subprocess.PIPE,
        )
        ended = asyncio.create_task(child.wait())
        closing = asyncio.create_task(app.wakeups.closing.wait())
        try:
            await asyncio.wait((ended, closing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            closing.cancel()
            await _stop_child(child, ended)
        if not app.wakeups.closing.is_set():
            _log.warning("failed worker process, starting another", exit_code=child.returncode)
            await sleep_unless_closing(app, _RESTART_DELAY_S)


async def _stop_child(child: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    """Close the child's standard input and wait until it has ended; kill it after the timeout."""
    if child.stdin is not None:
        child.stdin.close()
    await asyncio.wait({ended}, timeout=_CHILD_STOP_TIMEOUT_S)
    if child.returncode is None:
        child.kill()
    await asyncio.wait({ended})
