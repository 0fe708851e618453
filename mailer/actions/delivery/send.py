"""Sending what is due: claim it, have its letters written and carried, and put back what was not."""

from __future__ import annotations

import asyncio
import math
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from mailer.actions.delivery.deliver import carry
from mailer.actions.delivery.queue_feeder import fill, put_back
from mailer.actions.delivery.render_ahead import write_ahead
from mailer.actions.delivery.render_letter import Written
from mailer.actions.delivery.send_worker import Desk
from mailer.errors import RelayUnavailable, WorkerFailed
from mailer.relay.route import KEPT, Route

_log = structlog.get_logger()

_LOOK_AGAIN_S = 1.0
_FIRST_AWAY_S, _LONGEST_AWAY_S = 1.0, 60.0
"""How long nobody new is sent to a relay that did not let us in: longer each time, unless it was well for a while."""
_LAST_ANSWERS_S = 10.0
"""How long, after trouble, the answers to letters already given are awaited."""
_REFUSED_WAIT = timedelta(minutes=5)
"""How long a relay is left alone that answered that it does not want us."""
_WRITERS = 3 * (os.cpu_count() or 1)
"""Batches for each core: one is signed, one waits there to be, one is made."""


@dataclass(slots=True)
class _Team:
    """Who works at a desk during one run."""

    carriers: dict[Route[Written], list[asyncio.Task[None]]] = field(default_factory=dict)
    writers: list[asyncio.Task[None]] = field(default_factory=list)
    away: dict[Route[Written], float] = field(default_factory=dict)
    """Until when (the loop's time) nobody new is sent to a relay that did not let us in."""
    pauses: dict[Route[Written], float] = field(default_factory=dict)

    def everyone(self) -> list[asyncio.Task[None]]:
        return [*self.writers, *(one for carriers in self.carriers.values() for one in carriers)]


async def send(desk: Desk) -> int:
    """Send until nothing is due, or the service closes; how many letters were handed.

    Raises RelayUnavailable when no relay is to be had, DatabaseUnavailable when the ledger fails, WorkerFailed or
    whatever else broke one of those who work here. What was claimed and did not come to the gate is put back in any
    case; unless the desk is `intact` afterwards, the worker is to be given up: others take back what it had.
    """
    desk.handed, desk.unheard, desk.home, desk.intact = 0, 0, False, False
    team, away = _Team(), None
    try:
        team.writers.append(asyncio.create_task(_wake_at_the_end(desk)))
        while away is None and (await fill(desk) or (not desk.closing and (desk.claimed or desk.tray.flying))):
            _man(desk, team)
            away = await _until_low(desk, team)
        await _send_home(desk, team)
        away = away or _check(desk, team)
    except Exception:
        # Who has given a letter may still hear its answer: what is cut off is of unknown fate.
        await _send_home(desk, team, _LAST_ANSWERS_S)
        raise
    finally:
        await _put_down(desk, team)
    if desk.unheard:
        raise WorkerFailed(f"{desk.unheard} letters were cut off on their way")
    desk.intact = True
    if away is not None:
        raise away
    return desk.handed


async def _wake_at_the_end(desk: Desk) -> None:
    await desk.app.bells.closing.wait()
    desk.low.set()


def _man(desk: Desk, team: _Team) -> None:
    """Have as many at work as there is work for; a relay that was held, or away, is tried by one."""
    now, time = desk.app.clock(), asyncio.get_running_loop().time()
    while len(team.writers) < 1 + _WRITERS:
        team.writers.append(asyncio.create_task(write_ahead(desk)))
    for route in desk.routes:
        carriers = team.carriers.setdefault(route, [])
        if route.lane.closed(now) or team.away.get(route, 0.0) > time:
            continue
        route.grow(time)
        wanted = 1 if route.lane.closed_until is not None else min(route.most, max(1, len(desk.claimed)))
        carriers += [asyncio.create_task(carry(desk, route)) for _ in range(wanted - len(carriers))]


async def _until_low(desk: Desk, team: _Team) -> RelayUnavailable | None:
    """Wait until there is something to look at; learn who ended, and why there is no relay any more."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LOOK_AGAIN_S):
            await desk.low.wait()
    desk.low.clear()
    return _check(desk, team)


def _check(desk: Desk, team: _Team) -> RelayUnavailable | None:
    """Raise what broke a worker; of a relay that sent somebody away, remember that it did.

    Where no relay is left, why.
    """
    for writer in [one for one in team.writers if one.done()]:
        team.writers.remove(writer)
        _ended(writer)
    troubles = [trouble for route in team.carriers if (trouble := _sent_away(desk, team, route))]
    return troubles[-1] if troubles and not any(team.carriers.values()) else None


def _ended(task: asyncio.Task[None]) -> None:
    """Raise why it did not end of itself; nobody is cancelled before all are sent home."""
    if task.cancelled():
        raise WorkerFailed("a task of a worker that sends was cancelled")
    task.result()


def _sent_away(desk: Desk, team: _Team, route: Route[Written]) -> RelayUnavailable | None:
    """Why the relay sent some of us away since we last looked, if it did."""
    carriers, trouble = team.carriers[route], None
    for ended in [one for one in carriers if one.done()]:
        carriers.remove(ended)
        try:
            _ended(ended)
        except RelayUnavailable as away:
            trouble = away
    if trouble:
        time = asyncio.get_running_loop().time()
        lately = time - team.away.get(route, -math.inf) < _LONGEST_AWAY_S
        team.pauses[route] = min(team.pauses[route] * 2, _LONGEST_AWAY_S) if lately else _FIRST_AWAY_S
        team.away[route] = time + team.pauses[route]
        if not carriers:
            _left_alone(desk, route, trouble)
        elif trouble.crowded:
            # One fewer than it took: notices need a connection, too.
            route.lower(len(carriers) - max(1, round(KEPT * len(carriers))), time)
    return trouble


def _left_alone(desk: Desk, route: Route[Written], trouble: RelayUnavailable) -> None:
    """Nobody gets through to this relay: its letters go to others, and it is tried by one until it takes a letter."""
    now = desk.app.clock()
    desk.recall(route)
    if not route.lane.closed(now):
        route.lane.close(now + _REFUSED_WAIT if trouble.refused else now, str(trouble))
        desk.news.append(route.lane)
    desk.more.set()


async def _send_home(desk: Desk, team: _Team, within_s: float | None = None) -> None:
    """Let everyone end their letter, note its fate and hang up."""
    desk.home = True
    for writer in team.writers:
        writer.cancel()
    for route in desk.routes:
        route.wake()
    if everyone := team.everyone():
        await asyncio.wait(everyone, timeout=within_s)
    team.writers = [one for one in team.writers if not one.cancelled()]


async def _put_down(desk: Desk, team: _Team) -> None:
    """Cut off whoever is still at work, and put back whatever did not come to the gate."""
    desk.home = True
    everyone = team.everyone()
    for one in everyone:
        one.cancel()
    try:
        await asyncio.gather(*everyone, return_exceptions=True)
        await put_back(desk)
    finally:
        await desk.ledger.rest()
