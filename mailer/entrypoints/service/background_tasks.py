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
from mailer.actions.delivery.send_worker import Desk, enter, give_up
from mailer.actions.inbound.record_bounce import take_return
from mailer.app import App
from mailer.errors import DatabaseUnavailable, RelayUnavailable, SigningUnavailable, WorkerFailed
from mailer.relay.route import Priority
from mailer.store.notify import hear_hints

_log = structlog.get_logger()

_TROUBLES = (RelayUnavailable, DatabaseUnavailable, SigningUnavailable, WorkerFailed)
_LONGEST_PAUSE_S = 60
_WELL_S = 10
"""After so long without trouble the next is a new one."""
_REFUSALS, _REFUSALS_EVERY_S, _TENTH = 10, 1.0, 10
"""Refusals acted on in one transaction (20 ms), and how often; where there are more, a tenth of the time."""
_HANDED_WAIT_S = 30
"""How long, at the end, the answers to letters already handed are awaited."""


def start_sending(app: App, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
    """Launch and send whatever is due, and hear what other nodes hint at; the tasks that send."""
    group.create_task(whenever(app, app.bells.schedule, partial(launch_due, app)))
    if app.presence.needed:
        group.create_task(_listen(app))
    sending = [group.create_task(_send_in(app, priority)) for priority in Priority]
    group.create_task(_act_on_refusals(app, sending))
    return sending


async def _act_on_refusals(app: App, sending: list[asyncio.Task[None]]) -> None:
    """Act on what relays refuse, about once a second; at the end on all that is left.

    What is in memory only is lost in a crash: the next campaign meets those readers again.
    """
    while not all(task.done() for task in sending):
        began, rest_s = time.monotonic(), _REFUSALS_EVERY_S
        try:
            await take_refused(app)
            if app.refused:
                rest_s = _TENTH * (time.monotonic() - began)
        except DatabaseUnavailable as trouble:
            _log.warning("trouble", what=str(trouble))
        except Exception:
            _log.exception("refusals wait")
            rest_s = _LONGEST_PAUSE_S
        await asyncio.wait(sending, timeout=rest_s)
    try:
        while app.refused:
            await take_refused(app)
    except Exception as trouble:
        _log.warning("refusals are forgotten", number=len(app.refused), why=str(trouble))


async def take_refused(app: App) -> None:
    """Act on the oldest refusals: so few that no letter waits long for the ledger."""
    if batch := app.refused[:_REFUSALS]:
        await take_return(app, batch)
        del app.refused[: len(batch)]


async def _send_in(app: App, priority: Priority) -> None:
    """Send in one priority; a worker that failed is given up like a dead one, and another takes back what it had.

    Whatever failed, unless no relay was to be had and no letter was on its way.
    """
    desk: Desk | None = None
    before: Desk | None = None

    async def work() -> None:
        nonlocal desk, before
        try:
            desk = desk or await enter(app, priority, instead_of=before)
            before = desk
            await send(desk)
        finally:
            if desk is not None and not desk.intact:
                lost, desk = desk, None
                await give_up(lost)

    await whenever(app, app.bells.of(priority), work)


async def whenever(app: App, bell: asyncio.Event, work: Callable[[], Awaitable[object]]) -> None:
    """Do the work each time the bell rings; where we can do nothing for now, wait, longer each time.

    Whatever else breaks the work is logged in full, and ends neither the service nor this.
    """
    pause_s = 1
    while await bell.wait() and not app.bells.closing.is_set():
        bell.clear()
        began = time.monotonic()
        try:
            await work()
            pause_s = 1
            continue
        except _TROUBLES as trouble:
            pause_s = pause_s if time.monotonic() - began < _WELL_S else 1
            _log.warning("trouble", what=str(trouble), trying_again_in_s=pause_s)
        except Exception:
            _log.exception("trouble", trying_again_in_s=pause_s)
        await pause(app, pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        bell.set()


async def pause(app: App, seconds: float) -> None:
    """Wait, but not beyond the end of the service."""
    with suppress(TimeoutError):
        await asyncio.wait_for(app.bells.closing.wait(), seconds)


async def _listen(app: App) -> None:
    """Ring the bells when another node hints at something; without hints the clock does, a little later."""
    while not app.bells.closing.is_set():
        hearing = asyncio.ensure_future(hear_hints(app.database.engine, app.bells.ring))
        closing = asyncio.ensure_future(app.bells.closing.wait())
        await asyncio.wait((hearing, closing), return_when=asyncio.FIRST_COMPLETED)
        for one in (hearing, closing):
            one.cancel()
        for ended in await asyncio.gather(hearing, closing, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, DatabaseUnavailable):
                raise ended
        await pause(app, _LONGEST_PAUSE_S / 10)


async def cut_off(sending: list[asyncio.Task[None]]) -> None:
    """End the wait for a relay that does not answer: those letters are of unknown fate, and known by name."""
    _, pending = await asyncio.wait(sending, timeout=_HANDED_WAIT_S)
    for task in pending:
        task.cancel()
