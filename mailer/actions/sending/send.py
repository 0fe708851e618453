"""Sending what is due: claim, write, pass the gate, give to the relay, note the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import Any

import structlog
from sqlalchemy import Connection

from mailer.actions.writing.write_letter import LetterWriter
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import NOTICES, Delivery, Settlement, settle
from mailer.errors import DatabaseUnavailable, RelayUnavailable
from mailer.mail.letter import Letter
from mailer.relay.line import Line
from mailer.relay.route import Lane, Route, route
from mailer.store import campaigns, deliveries, gate, progress, workers
from mailer.store.ledger import Ledger

_log = structlog.get_logger()

_TRAY = 4
"""Deliveries claimed at a time, per connection: enough that no connection waits for a claim."""


@dataclass(slots=True)
class Sender:
    """One worker in one lane, and what it has on its desk."""

    app: App
    lane: Lane
    worker_id: int
    routes: tuple[Route, ...]
    ledger: Ledger
    writer: LetterWriter
    tray: asyncio.Queue[Delivery | None] = field(default_factory=asyncio.Queue)
    """Claimed, and waiting for a free connection; None sends a carrier home."""
    low: asyncio.Event = field(default_factory=asyncio.Event)
    """The tray wants refilling."""
    claimed: dict[int, Delivery] = field(default_factory=dict)
    """What is ours and has not come to the gate."""
    handed: int = 0


async def enter(app: App, lane: Lane) -> Sender:
    """A new worker for a lane, after what earlier ones left behind is taken back.

    The caller owns the database and is the lane's only sender: claims of others are void from now on.
    """
    worker_id = await app.database.write(workers.enter, lane.value, app.clock())
    for campaign_id in await app.database.read(_left_behind, lane):
        found = await app.database.write(deliveries.recover, campaign_id, worker_id, app.clock())
        if found.resent or found.parked:
            _log.warning("letters of unknown fate", campaign=campaign_id, resent=found.resent, parked=found.parked)
    routes = tuple(route(relay, lane) for relay in app.relays)
    return Sender(app, lane, worker_id, routes, Ledger(app.database, worker_id, app.clock), LetterWriter(app))


def _left_behind(tx: Connection, lane: Lane) -> list[int]:
    if lane is Lane.NOTICES:
        return [NOTICES]
    return campaigns.ids_in(tx, CampaignState.SENDING, CampaignState.PAUSED, CampaignState.CANCELLED)


async def send(sender: Sender) -> int:
    """Send until nothing is due in this lane, or the service closes; how many letters were handed.

    Raises RelayUnavailable when no connection is to be had and DatabaseUnavailable when the ledger fails;
    claims that did not come to the gate are given up in any case.
    """
    sender.handed, sender.tray = 0, asyncio.Queue()
    carriers: list[asyncio.Task[None]] = []
    try:
        while await _refill(sender):
            if all(carrier.done() for carrier in carriers):
                carriers = [asyncio.create_task(_carry(sender, route)) for route in _seats(sender)]
            await _until_low(sender, carriers)
        await _send_home(sender, carriers)
    finally:
        for carrier in carriers:
            carrier.cancel()
        await asyncio.gather(*carriers, return_exceptions=True)
        await _put_back(sender)
    await sender.app.database.write(_finish, sender)
    return sender.handed


async def _refill(sender: Sender) -> bool:
    """Claim what is due; whether anything was."""
    app, now = sender.app, sender.app.clock()
    if app.bells.closing.is_set() or not (due := await app.database.read(_due, sender.lane, now)):
        return False
    most = _TRAY * sum(route.connections for route in sender.routes)
    claimed = await app.database.write(deliveries.claim, due, sender.worker_id, most, now)
    for delivery in claimed:
        sender.claimed[delivery.id] = delivery
        sender.tray.put_nowait(delivery)
    return bool(claimed)


def _due(tx: Connection, lane: Lane, now: datetime) -> list[int]:
    of_lane = [NOTICES] if lane is Lane.NOTICES else campaigns.ids_in(tx, CampaignState.SENDING)
    return [campaign_id for campaign_id in of_lane if progress.any_due(tx, campaign_id, now)]


def _seats(sender: Sender) -> list[Route]:
    """One per connection, the relays in turn; one of each at least, and not more than there are letters for."""
    by_turn = zip_longest(*([route] * route.connections for route in sender.routes))
    every = [route for turn in by_turn for route in turn if route is not None]
    return every[: max(len(sender.routes), sender.tray.qsize())]


async def _until_low(sender: Sender, carriers: list[asyncio.Task[None]]) -> None:
    while not (sender.app.bells.closing.is_set() or _is_low(sender)):
        await sender.low.wait()
        sender.low.clear()
        _check(carriers)


def _is_low(sender: Sender) -> bool:
    return sender.tray.qsize() <= _TRAY // 2 * sum(route.connections for route in sender.routes)


async def _send_home(sender: Sender, carriers: list[asyncio.Task[None]]) -> None:
    """No more is due: every carrier ends its letter, notes its fate and hangs up."""
    for _ in carriers:
        sender.tray.put_nowait(None)
    if carriers:
        await asyncio.wait(carriers)
    _check(carriers)


def _check(carriers: list[asyncio.Task[None]]) -> None:
    """Raise what broke a carrier; a relay that admits some of us and not others is no trouble."""
    broken = [trouble for carrier in carriers if carrier.done() and (trouble := carrier.exception())]
    for trouble in broken:
        if not isinstance(trouble, RelayUnavailable) or len(broken) == len(carriers):
            raise trouble


async def _put_back(sender: Sender) -> None:
    if unused := list(sender.claimed):
        sender.claimed.clear()
        now = sender.app.clock()
        await sender.app.database.write(gate.put_back, unused, sender.worker_id, now)
        sender.app.bells.queue.set()


def _finish(tx: Connection, sender: Sender) -> None:
    """ "sent" is said only when nothing waits."""
    if sender.lane is Lane.CAMPAIGNS:
        for campaign_id in campaigns.ids_in(tx, CampaignState.SENDING):
            if not progress.any_open(tx, campaign_id):
                now = sender.app.clock()
                campaigns.move(tx, campaign_id, CampaignState.SENT, of=(CampaignState.SENDING,), finished_at=now)
                _log.info("campaign sent", campaign=campaign_id)


async def _carry(sender: Sender, route: Route) -> None:
    """Carry letters over one line until the tray says to go home."""
    line = Line(route.relay)
    settled: Settlement | None = None
    try:
        # Before anything is taken: a relay that is down keeps no letter from the others.
        if not await _unless_closing(sender, line.open()):
            return
        while (delivery := await _next(sender)) is not None:
            dated_at = delivery.dated_at or sender.app.clock().replace(microsecond=0)
            if (letter := await _written(sender, delivery, dated_at)) is None:
                continue
            if route.relay.per_second is not None:
                await sender.ledger.turn(settled)
                settled = None
                if not await _unless_closing(sender, route.pace.take()):
                    break
            await line.open()
            sender.claimed.pop(delivery.id)
            handed = await sender.ledger.turn(settled, delivery.id, dated_at)
            settled = await _post(sender, line, delivery, letter) if handed else None
            if sender.tray.empty():
                await sender.ledger.turn(settled)
                settled = None
        await sender.ledger.turn(settled)
    except RelayUnavailable:
        await sender.ledger.turn(settled)  # what was not carried is still claimed, and is put back
        raise
    finally:
        sender.low.set()
        await line.close()


async def _unless_closing(sender: Sender, work: Coroutine[Any, Any, object]) -> bool:
    """Do something that may take long; False when the service closes before it is done."""
    working, closing = asyncio.ensure_future(work), asyncio.ensure_future(sender.app.bells.closing.wait())
    try:
        await asyncio.wait((working, closing), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        return not closing.done()
    finally:
        working.cancel()
        closing.cancel()


async def _post(sender: Sender, line: Line, delivery: Delivery, letter: Letter) -> Settlement:
    sender.handed += 1
    outcome = await line.send(letter)
    return settle(delivery, outcome, sender.app.clock(), sender.app.chance())


async def _next(sender: Sender) -> Delivery | None:
    """The next delivery on the tray, or None to go home."""
    if sender.app.bells.closing.is_set():
        return None
    delivery = await sender.tray.get()
    if _is_low(sender):
        sender.low.set()
    return None if sender.app.bells.closing.is_set() else delivery


async def _written(sender: Sender, delivery: Delivery, dated_at: datetime) -> Letter | None:
    """The letter, or None where it cannot be written: a campaign is paused with the reason, a notice fails."""
    try:
        return await sender.writer.write(delivery, dated_at)
    except DatabaseUnavailable:
        raise
    except Exception as trouble:  # whatever a template does must not stop other people's letters
        _log.exception("letter cannot be written", delivery=delivery.id, campaign=delivery.campaign_id)
        await sender.app.database.write(_hold, sender, delivery, f"cannot be written: {trouble}")
        sender.claimed.pop(delivery.id, None)
        return None


def _hold(tx: Connection, sender: Sender, delivery: Delivery, why: str) -> None:
    if delivery.campaign_id == NOTICES:
        deliveries.give_up(tx, delivery.id, sender.worker_id, why)
    else:
        sending = (CampaignState.SENDING,)
        campaigns.move(tx, delivery.campaign_id, CampaignState.PAUSED, of=sending, remark=why)
        gate.put_back(tx, [delivery.id], sender.worker_id, sender.app.clock())
