"""A connection's work: take a letter that lies ready, pass the gate, give it to the relay, note the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mailer.actions.delivery.render_letter import Written
from mailer.actions.delivery.send_worker import Desk
from mailer.domain.abuse_limits import Counted
from mailer.domain.delivery import NOTICES, Concern, Delivery, DeliveryState, Outcome, Settlement, Verdict
from mailer.domain.retry import settle, waits_on
from mailer.errors import BudgetSpent, RelayUnavailable
from mailer.mail.bounces.smtp_rejection import is_return
from mailer.relay.lane import Lane, said
from mailer.relay.reconnecting_connection import Line
from mailer.relay.route import Route
from mailer.relay.smtp_protocol import CLOSING
from mailer.store.queue.gate import Wanted
from mailer.store.queue.outcome_group_commit import Ledger

_MOST_UNTRIED = 5
"""How often a letter may be put off at once without having been tried: it must not keep the others waiting."""


async def carry(desk: Desk, route: Route[Written]) -> None:
    """Carry letters over one line until we are sent home, or the relay does so. RelayUnavailable."""
    line, fate = Line(route.relay, route.limit), Fate(desk.ledger)
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
        if not (line.ready or await _reopened(desk, route, line, fate)):
            return
        await _next(desk, route, line, fate)


def _dismissed(desk: Desk, route: Route[Written]) -> bool:
    """Whether nothing more is to be carried to this relay for now, or by fewer."""
    lane = route.lane
    held = lane.closed_until is not None and lane.closed(desk.app.clock())
    return desk.closing or desk.home or held or route.lines > route.most


async def _reopened(desk: Desk, route: Route[Written], line: Line, fate: Fate) -> bool:
    """Have a new connection in place of one that ended; False when we are closing. RelayUnavailable.

    That may take long: what became of the last letter is noted before, and letters are for who is there meanwhile.
    """
    await fate.note()
    with route.unmanned():
        now = desk.app.clock()
        if not route.lines and any(other.room(now) for other in desk.routes):
            desk.recall(route)
            desk.more.set()
        came = await unless_closing(desk, line.open())
    desk.more.set()
    return came


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
    """Note the last letter's fate, and carry the next one through the gate. RelayUnavailable where it is put off."""
    if not route.ready:
        return
    written = route.ready.popleft()
    delivery = written.delivery
    if len(route.ready) * 2 <= route.connections:
        desk.more.set()
    lane = desk.tray.lane(delivery.domain)
    if lane.closed_until is not None and lane.closed(desk.app.clock()):
        desk.lay_back(delivery)  # the clerk puts it back
        return
    del desk.claimed[delivery.id]
    desk.unheard += 1
    try:
        if not await fate.note(written.wanted):
            desk.unheard -= 1
            desk.low.set()
            return
        desk.handed += 1
        given_at = desk.app.clock()
        outcome = await line.send(written.letter)
        fate.settled = _heard(desk, route, delivery, outcome, given_at)
        desk.unheard -= 1
    finally:
        _landed(desk, route, delivery)
    if outcome.verdict is Verdict.UNTRIED:
        await fate.note()
        desk.low.set()  # it is due at once
        if outcome.concern is Concern.PACE:
            raise RelayUnavailable(f"the relay {route.relay} puts us off: {said(outcome)}", crowded=bool(outcome.code))


def _landed(desk: Desk, route: Route[Written], delivery: Delivery) -> None:
    desk.tray.landed(delivery)
    if desk.tray.size and not route.ready:
        desk.more.set()
    if not (desk.claimed or desk.tray.flying):
        desk.low.set()


def _heard(desk: Desk, route: Route[Written], delivery: Delivery, outcome: Outcome, given_at: datetime) -> Settlement:
    """What the outcome means for a delivery, and for the lanes it went through."""
    now = desk.app.clock()
    outcome = _bounded(desk, delivery, outcome)
    settled = settle(delivery, outcome, now, desk.app.chance())
    for lane in _listeners(desk, route, delivery, outcome):
        was = lane.closed_until
        for wronged in lane.hear(delivery, outcome, now, given_at):
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
    _count(desk, delivery, _kind_of(route, settled, outcome, now), 1)
    if is_return(settled, outcome):
        desk.refused[delivery.id] = delivery, outcome
    return settled


def _bounded(desk: Desk, delivery: Delivery, outcome: Outcome) -> Outcome:
    """The outcome; of a letter that is put off untried once more than others, that it was tried."""
    if outcome.verdict is not Verdict.UNTRIED:
        desk.untried.pop(delivery.id, None)
        return outcome
    desk.untried[delivery.id] += 1
    if desk.untried[delivery.id] <= _MOST_UNTRIED:
        return outcome
    del desk.untried[delivery.id]
    return replace(outcome, verdict=Verdict.DEFERRED)


def _listeners(desk: Desk, route: Route[Written], delivery: Delivery, outcome: Outcome) -> Iterable[Lane]:
    """Whom the outcome is about: where the relay speaks for itself, no destination; how busy it is, its route knows."""
    if not outcome.by_relay:
        return desk.tray.lane(delivery.domain), route.lane
    return (route.lane,) if outcome.concern is Concern.US else ()


def _kind_of(route: Route[Written], settled: Settlement, outcome: Outcome, now: datetime) -> Counted | None:
    """What the governor is told; nothing where nobody answered, or the relay did so for itself."""
    if settled.state is DeliveryState.ACCEPTED:
        return Counted.ACCEPTED
    if settled.code is None or settled.code == CLOSING or outcome.by_relay or route.lane.closed(now):
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
        await asyncio.gather(working, closing, return_exceptions=True)
