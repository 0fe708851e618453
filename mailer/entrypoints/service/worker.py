"""`mailer worker`: a process that launches and sends, beside a `serve` on the same PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import structlog

from mailer.app import App
from mailer.entrypoints.service.background_tasks import cut_off, pause, start_sending
from mailer.entrypoints.service.scheduler import ticking

_log = structlog.get_logger()

_RESTART_S = 2
_FAREWELL_S = 35
"""How long a child may take to end: it awaits the answers to what it has handed."""


async def work(app: App, *, child: bool) -> None:
    """Launch and send until SIGINT or SIGTERM; a `child` also ends when its standard input does, with its parent."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, app.bells.closing.set)
    if child:
        loop.add_reader(sys.stdin.fileno(), _until_parent_ends, app)
    try:
        async with asyncio.TaskGroup() as group:
            with ticking(app.bells.ring):
                sending = start_sending(app, group)
                _log.info("working", pid=os.getpid())
                app.bells.ring()
                await app.bells.closing.wait()
                _log.info("closing", pid=os.getpid())
                app.bells.ring()
                group.create_task(cut_off(sending))
    finally:
        await app.close()


def _until_parent_ends(app: App) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        app.bells.closing.set()


def start_children(app: App, group: asyncio.TaskGroup, number: int) -> None:
    """So many more workers, each a process of its own; one that dies is replaced."""
    for _ in range(number):
        group.create_task(_keep(app, number + 1))


async def _keep(app: App, processes: int) -> None:
    """Keep one child at work until the service closes."""
    while not app.bells.closing.is_set():
        # Spawned, not forked: nothing of our loop, threads and sessions is in there.
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mailer", "worker", "--child", "--of", str(processes)),
            stdin=asyncio.subprocess.PIPE,
        )
        ended = asyncio.create_task(child.wait())
        closing = asyncio.create_task(app.bells.closing.wait())
        try:
            await asyncio.wait((ended, closing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            closing.cancel()
            await _farewell(child, ended)
        if not app.bells.closing.is_set():
            _log.warning("a worker ended", code=child.returncode)
            await pause(app, _RESTART_S)


async def _farewell(child: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    """Let a child end, that puts down its work first; one that takes too long is killed."""
    if child.stdin is not None:
        child.stdin.close()
    await asyncio.wait({ended}, timeout=_FAREWELL_S)
    if child.returncode is None:
        child.kill()
    await asyncio.wait({ended})
