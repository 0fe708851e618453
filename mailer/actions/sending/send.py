"""Sending what is due: claim it, have its letters written and carried, and put back what was not."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from mailer.actions.carrying.carry import carry, write_ahead
from mailer.actions.carrying.clerk import fill, put_back
from mailer.actions.posting.desk import Desk
from mailer.actions.writing.write_letter import Written
from mailer.errors import RelayUnavailable
from mailer.relay.route import Route

_log = structlog.get_logger()

_LOOK_AGAIN_S = 1.0
_LONGEST_AWAY_S = 60.0
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

    Raises RelayUnavailable when no relay is to be had and DatabaseUnavailable when the ledger fails; what was claimed
    and did not come to the gate is put back in any case.
    """
    desk.handed, desk.home = 0, False
    team = _Team()
    try:
        team.writers.append(asyncio.create_task(_wake_at_the_end(desk)))
        while await fill(desk) or (not desk.closing and (desk.claimed or desk.tray.flying)):
            _man(desk, team)
            await _until_low(desk, team)
        desk.home = True
        await _send_home(desk, team)
    finally:
        desk.home = True
        await _send_home(desk, team, cut=True)
        await put_back(desk)
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
        wanted = 1 if route.lane.closed_until is not None else min(route.connections, max(1, len(desk.claimed)))
        carriers += [asyncio.create_task(carry(desk, route)) for _ in range(wanted - len(carriers))]


async def _until_low(desk: Desk, team: _Team) -> None:
    """Wait until there is something to look at; learn who ended, and why."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LOOK_AGAIN_S):
            await desk.low.wait()
    desk.low.clear()
    _check(desk, team)


def _check(desk: Desk, team: _Team) -> None:
    """Raise what broke a worker; of a relay that sent somebody away, remember that it did.

    RelayUnavailable where no relay is left.
    """
    for writer in [one for one in team.writers if one.done()]:
        team.writers.remove(writer)
        if not writer.cancelled():
            writer.result()
    troubles = [trouble for route in team.carriers if (trouble := _sent_away(desk, team, route))]
    if troubles and not any(team.carriers.values()):
        raise troubles[-1]


def _sent_away(desk: Desk, team: _Team, route: Route[Written]) -> RelayUnavailable | None:
    """Why the relay sent some of us away since we last looked, if it did."""
    carriers, trouble = team.carriers[route], None
    for ended in [one for one in carriers if one.done()]:
        carriers.remove(ended)
        broken = None if ended.cancelled() else ended.exception()
        if isinstance(broken, RelayUnavailable):
            trouble = broken
        elif broken is not None:
            raise broken
    if trouble:
        team.pauses[route] = min(team.pauses.get(route, 0.5) * 2, _LONGEST_AWAY_S)
        team.away[route] = asyncio.get_running_loop().time() + team.pauses[route]
        if not carriers:
            _left_alone(desk, route, trouble)
    return trouble


def _left_alone(desk: Desk, route: Route[Written], trouble: RelayUnavailable) -> None:
    """Nobody gets through to this relay: its letters go to others, and it is tried by one until it takes a letter."""
    now = desk.app.clock()
    desk.recall(route)
    if not route.lane.closed(now):
        route.lane.close(now + _REFUSED_WAIT if trouble.refused else now, str(trouble))
        desk.news.append(route.lane)
    desk.more.set()


async def _send_home(desk: Desk, team: _Team, *, cut: bool = False) -> None:
    """Let everyone end their letter, note its fate and hang up; or cut them off."""
    everyone = team.everyone()
    for one in everyone if cut else team.writers:
        one.cancel()
    for route in desk.routes:
        route.wake()
    if everyone:
        await asyncio.wait(everyone)
    if not cut:
        _check(desk, team)
