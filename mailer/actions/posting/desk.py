"""The desk: what one worker of one priority has before it, from its first claim until it is given up for dead."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from mailer.actions.writing.write_letter import LetterWriter, Unwritten, Written
from mailer.app import App
from mailer.domain.delivery import Delivery
from mailer.domain.limits import Grant
from mailer.relay.connection import Relay
from mailer.relay.lane import Lane
from mailer.relay.pace import Pace
from mailer.relay.route import KEPT, Priority, Route, seats
from mailer.relay.tray import EASY, Tray
from mailer.store import budgets, claims, workers
from mailer.store.ledger import Ledger

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
    claimed: dict[int, Delivery] = field(default_factory=dict)
    """What is ours and has not come to the gate."""
    handed: int = 0
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
    unwritten: list[Unwritten] = field(default_factory=list)

    @property
    def closing(self) -> bool:
        return self.app.bells.closing.is_set()


async def enter(app: App, priority: Priority) -> Desk:
    """A new worker for a priority, after what dead ones left behind is taken back.

    The caller owns the database and is the only sender of this priority: claims of others are void from now on.
    """
    before = await app.database.read(workers.named, priority.value)
    worker_id = await app.database.write(workers.enter, priority.value, app.clock())
    found = await app.database.write(claims.bury, [number for number, _ in before], app.clock())
    if found.resent or found.parked:
        _log.warning("letters of unknown fate", resent=found.resent, parked=found.parked)
    return Desk(
        app=app,
        priority=priority,
        worker_id=worker_id,
        routes=tuple(_route(app, relay, priority) for relay in app.relays),
        ledger=Ledger(app.database, worker_id, app.clock),
        writer=LetterWriter(app),
        tray=Tray(lambda domain: app.domains[domain].connections if domain in app.domains else EASY),
    )


def _route(app: App, relay: Relay, priority: Priority) -> Route[Written]:
    async def lease() -> Grant:
        kept = KEPT if priority is Priority.CAMPAIGNS else 0.0
        most = max(1, int(relay.limits.per_second or connections))
        return await app.database.write(budgets.lease, f"relay {relay}", relay.limits, most, app.clock(), kept=kept)

    connections = seats(relay, priority)
    pace = Pace(lease if relay.limits.any else None, app.clock)
    return Route(relay, connections, pace, Lane(f"relay {relay}", connections))
