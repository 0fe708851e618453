"""A connection's work: take a letter that lies ready, pass the gate, give it to the relay, note the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailer.actions.posting.desk import Desk
from mailer.actions.writing.write_letter import Written
from mailer.domain.delivery import NOTICES, Delivery, DeliveryState, Outcome, Settlement, settle, waits_on
from mailer.domain.shield import Counted
from mailer.errors import BudgetSpent, RelayUnavailable
from mailer.mail.returns.refused_letter import is_return
from mailer.relay.line import Line
from mailer.relay.route import Route, next_route
from mailer.store.gate import Wanted
from mailer.store.ledger import Ledger

_BATCH = 32
"""Letters written at a time: enough that their way to another thread and back is worth it."""


async def write_ahead(desk: Desk) -> None:
    """Write the letters of what may go, so many that no connection waits for one."""
    while not (desk.closing or desk.home):
        now = desk.app.clock()
        room = sum(route.room(now) for route in desk.routes)
        batch = desk.tray.take(min(room, _BATCH)) if room else []
        if batch and desk.tray.size <= desk.enough:
            desk.low.set()
        if not batch:
            await desk.more.wait()
            desk.more.clear()
            continue
        for written in await desk.writer.write_many(batch, now.replace(microsecond=0)):
            route = next_route(desk.routes, now) or desk.routes[0]
            if isinstance(written, Written) and route.lane.closed(desk.app.clock()):
                # Held while they were written: nobody is there to carry them.
                desk.tray.landed(written.delivery)
                desk.tray.put([written.delivery])
                desk.low.set()
            elif isinstance(written, Written):
                route.lay(written)
            else:
                desk.tray.landed(written.delivery)
                desk.unwritten.append(written)
                desk.low.set()


async def carry(desk: Desk, route: Route[Written]) -> None:
    """Carry letters over one line until we are sent home, or the relay does so. RelayUnavailable."""
    line, fate = Line(route.relay), Fate(desk.ledger)
    try:
        # Before anything is taken: a relay that is down keeps no letter from the others.
        if not await unless_closing(desk, line.open()):
            return
        with route.manned():
            desk.more.set()
            await _carry_on(desk, route, line, fate)
    finally:
        try:
            await fate.note()
        finally:
            await line.close()
            desk.low.set()


async def _carry_on(desk: Desk, route: Route[Written], line: Line, fate: Fate) -> None:
    while not _dismissed(desk, route):
        if not route.ready:
            await fate.note()
            if not (route.ready or _dismissed(desk, route)):
                await route.wait()
            continue
        if route.pace.limited:
            await fate.note()
            if not await _in_time(desk, route):
                return
        await line.open()
        await _next(desk, route, line, fate)


def _dismissed(desk: Desk, route: Route[Written]) -> bool:
    """Whether nothing more is to be carried to this relay for now."""
    lane = route.lane
    return desk.closing or desk.home or (lane.closed_until is not None and lane.closed(desk.app.clock()))


@dataclass(slots=True)
class Fate:
    """What became of a connection's last letter, until it is written down: once."""

    ledger: Ledger
    settled: Settlement | None = None

    async def note(self, wanted: Wanted | None = None) -> bool:
        """Write it down, and ask for the next letter in the same turn of the ledger."""
        settled, self.settled = self.settled, None
        return await self.ledger.turn(settled, wanted)


async def _next(desk: Desk, route: Route[Written], line: Line, fate: Fate) -> None:
    """Note the last letter's fate, and carry the next one through the gate."""
    if not route.ready:
        return
    written = route.ready.popleft()
    if len(route.ready) * 2 <= route.connections:
        desk.more.set()
    lane = desk.tray.lane(written.delivery.domain)
    if lane.closed_until is not None and lane.closed(desk.app.clock()):
        desk.tray.landed(written.delivery)
        desk.tray.put([written.delivery])  # the clerk puts it back
        desk.low.set()
        return
    del desk.claimed[written.delivery.id]
    if not await fate.note(written.wanted):
        desk.tray.landed(written.delivery)
        desk.low.set()
        return
    desk.handed += 1
    outcome = await line.send(written.letter)
    fate.settled = _heard(desk, route, written.delivery, outcome)
    if is_return(fate.settled, outcome):
        desk.refused[written.delivery.id] = written.delivery, outcome


def _heard(desk: Desk, route: Route[Written], delivery: Delivery, outcome: Outcome) -> Settlement:
    """What the outcome means for the delivery, and for the lanes it went through."""
    now = desk.app.clock()
    settled = settle(delivery, outcome, now, desk.app.chance())
    for lane in (desk.tray.lane(delivery.domain), route.lane):
        was = lane.closed_until
        for wronged in lane.hear(delivery, outcome, now):
            if wronged is delivery:
                settled = waits_on(settled, delivery, now, desk.app.chance())
            else:
                desk.wronged[wronged.id] = wronged
                desk.refused.pop(wronged.id, None)
                _count(desk, wronged, Counted.REFUSED, -1)
        if lane.closed_until != was:
            desk.news.append(lane)
            desk.low.set()
            if lane is route.lane and lane.closed_until is not None:
                desk.recall(route)
    _count(desk, delivery, _kind_of(route, settled, now), 1)
    desk.tray.landed(delivery)
    if desk.tray.size and not route.ready:
        desk.more.set()
    if not (desk.claimed or desk.tray.flying):
        desk.low.set()
    return settled


def _kind_of(route: Route[Written], settled: Settlement, now: datetime) -> Counted | None:
    """What the governor is told; nothing where nobody answered, or where the relay itself wants nothing for now."""
    if settled.state is DeliveryState.ACCEPTED:
        return Counted.ACCEPTED
    if settled.code is None or route.lane.closed(now):
        return None
    return Counted.REFUSED if settled.state is DeliveryState.FAILED and settled.code >= 500 else Counted.DEFERRED


def _count(desk: Desk, delivery: Delivery, kind: Counted | None, number: int) -> None:
    if kind is not None and delivery.campaign_id != NOTICES:
        desk.heard[delivery.campaign_id, delivery.domain, kind] += number
        desk.heard[delivery.campaign_id, "", kind] += number


async def _in_time(desk: Desk, route: Route[Written]) -> bool:
    """Wait until the relay's limits let a letter go; False when we shall not."""
    try:
        return await unless_closing(desk, route.pace.take())
    except BudgetSpent as spent:
        route.lane.close(spent.until, str(spent))
        desk.news.append(route.lane)
        raise RelayUnavailable(f"the relay {route.relay}: {spent}") from spent


async def unless_closing(desk: Desk, work: Coroutine[Any, Any, object]) -> bool:
    """Do something that may take long; False when the service closes before it is done."""
    working, closing = asyncio.ensure_future(work), asyncio.ensure_future(desk.app.bells.closing.wait())
    try:
        await asyncio.wait((working, closing), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        return not closing.done()
    finally:
        working.cancel()
        closing.cancel()
