"""The desk: what one worker of one priority has before it, from its first claim until it is given up for dead."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from mailer.actions.delivery.render_letter import LetterWriter, Unwritten, Written
from mailer.app import App
from mailer.domain.delivery import Delivery, Outcome
from mailer.domain.governor import Key
from mailer.domain.rate_limits import Grant
from mailer.relay.lane import Lane
from mailer.relay.lane_scheduler import EASY, Tray
from mailer.relay.rate_limiter import Pace
from mailer.relay.route import KEPT, Priority, Route, seats
from mailer.relay.smtp_connection import Relay
from mailer.store.queue import crash_recovery, rate_budgets, worker_presence, workers
from mailer.store.queue.outcome_group_commit import Ledger

_log = structlog.get_logger()


@dataclass(slots=True)
class Desk:
    """One worker of one priority, and what lies before it."""

    app: App
    priority: Priority
    worker_id: int
    routes: tuple[Route[Written], ...]
    ledger: Ledger
    writer: LetterWriter
    tray: Tray
    heard_at: datetime
    """When the worker was last heard of."""
    claimed: dict[int, Delivery] = field(default_factory=dict)
    """What is ours and has not come to the gate."""
    handed: int = 0
    unheard: int = 0
    """Letters on their way through the gate, or past it, of which nobody has heard what became of them."""
    untried: Counter[int] = field(default_factory=Counter)
    """How often in a row a delivery was put off without having been tried."""
    enough: int = 0
    """With so many deliveries on the tray, no more are claimed for now."""
    has_looked: bool = False
    """Whether it has seen how the queue and the holds stand."""
    intact: bool = True
    """Whether nothing of it is lost: no letter was cut off past the gate, and nothing but a relay failed."""
    home: bool = False
    """Whether nothing more is to be carried for now."""
    low: asyncio.Event = field(default_factory=asyncio.Event)
    """Something for the clerk to look at: the tray wants refilling, a lane closed, a connection ended."""
    more: asyncio.Event = field(default_factory=asyncio.Event)
    """Something for the writers to look at: deliveries on the tray, or room for letters."""
    news: list[Lane] = field(default_factory=list)
    """Lanes that closed or opened, of which the ledger does not know yet."""
    wronged: dict[int, Delivery] = field(default_factory=dict)
    """Deliveries noted as failed for what was not their fault."""
    refused: dict[int, tuple[Delivery, Outcome]] = field(default_factory=dict)
    """Deliveries that failed by the relay's word on them, until it is known to be about them."""
    heard: Counter[Key] = field(default_factory=Counter)
    """What was said of campaigns' letters, for the governor; and when it was last told."""
    governed_at: datetime | None = None
    unwritten: list[Unwritten] = field(default_factory=list)

    @property
    def closing(self) -> bool:
        return self.app.bells.closing.is_set()

    def lay_back(self, delivery: Delivery) -> None:
        """Lay what was taken from the tray there again."""
        self.tray.landed(delivery)
        self.tray.put([delivery])
        self.low.set()

    def recall(self, route: Route[Written]) -> None:
        """Take back the letters that lie ready for a relay: others may carry them, or the clerk puts them back."""
        for written in route.ready:
            self.tray.landed(written.delivery)
        self.tray.put(written.delivery for written in route.ready)
        route.ready.clear()
        route.wake()


async def enter(app: App, priority: Priority, instead_of: Desk | None = None) -> Desk:
    """A new worker for a priority, after what dead ones left behind is taken back; and what an earlier self did.

    On SQLite the caller owns the database and is the only sender of this priority: all others are dead.
    """
    now = app.clock()
    if app.presence.needed:
        worker_id = await asyncio.to_thread(app.presence.enter, priority.value, now, app.lease)
    else:
        worker_id = await app.database.write(workers.enter, priority.value, now, app.lease)
    desk = Desk(
        app=app,
        priority=priority,
        worker_id=worker_id,
        routes=tuple(_route(app, relay, priority) for relay in app.relays),
        ledger=Ledger(app.database, worker_id, app.clock),
        writer=LetterWriter(app),
        tray=Tray(lambda domain: app.domains[domain].connections if domain in app.domains else EASY),
        heard_at=now,
    )
    if instead_of is not None:
        desk.wronged, desk.refused, desk.heard = instead_of.wronged, instead_of.refused, instead_of.heard
    await bury_the_dead(desk, now, *((instead_of.worker_id,) if instead_of else ()))
    return desk


async def give_up(desk: Desk) -> None:
    """The desk's worker failed: others, too, may take back what it had, before its process comes to that."""
    if desk.app.presence.needed:
        await asyncio.to_thread(desk.app.presence.give_up, desk.worker_id)


async def stay_alive(desk: Desk, now: datetime) -> None:
    """Be heard of well within the lease, and see who was not; LeaseLost."""
    if now - desk.heard_at >= desk.app.lease / 12:
        await desk.app.database.write(workers.renew, desk.worker_id, now, desk.app.lease)
        desk.heard_at = now
        if desk.app.presence.needed:
            await bury_the_dead(desk, now)


async def bury_the_dead(desk: Desk, now: datetime, *also: int) -> None:
    """What dead workers had claimed waits again; what they had handed is sent again, or parked."""
    database = desk.app.database
    found = await database.read(worker_presence.dead, desk.priority.value, desk.worker_id, now)
    if gone := {*found, *also}:
        recovered = await database.write(crash_recovery.bury, gone, now)
        if recovered.resent or recovered.parked:
            _log.warning("letters of unknown fate", resent=recovered.resent, parked=recovered.parked)


def _route(app: App, relay: Relay, priority: Priority) -> Route[Written]:
    async def lease() -> Grant:
        kept = KEPT if priority is Priority.CAMPAIGNS else 0.0
        most = max(1, int(relay.limits.per_second or connections))
        return await app.database.write(
            rate_budgets.lease, f"relay {relay}", relay.limits, most, app.clock(), kept=kept
        )

    connections = seats(relay, priority)
    pace = Pace(lease if relay.limits.any else None, app.clock)
    return Route(relay, connections, pace, Lane(f"relay {relay}", connections))
