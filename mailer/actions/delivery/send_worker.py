"""The desk: what one worker of one priority has before it, from its first claim until it is given up for dead."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from mailer.actions.delivery.render_letter import LetterRenderer, RenderedLetter, RenderFailure
from mailer.app import App
from mailer.domain.delivery import Delivery, RelayOutcome
from mailer.domain.governor import CounterKey
from mailer.domain.rate_limits import RateLease
from mailer.relay.lane import Lane
from mailer.relay.lane_scheduler import DEFAULT_CONCURRENCY, LaneScheduler
from mailer.relay.rate_limiter import RateLimiter
from mailer.relay.route import NOTICE_SHARE, Priority, Route, connection_quota
from mailer.relay.smtp_connection import Relay
from mailer.store.queue import crash_recovery, rate_budgets, worker_presence, workers
from mailer.store.queue.outcome_group_commit import OutcomeGroupCommit

_log = structlog.get_logger()


@dataclass(slots=True)
class SendWorker:
    """One worker of one priority, and what lies before it."""

    app: App
    priority: Priority
    worker_id: int
    routes: tuple[Route[RenderedLetter], ...]
    ledger: OutcomeGroupCommit
    renderer: LetterRenderer
    scheduler: LaneScheduler
    renewed_at: datetime
    """When the worker was last heard of."""
    claimed: dict[int, Delivery] = field(default_factory=dict)
    """What is ours and has not come to the gate."""
    handed: int = 0
    unanswered: int = 0
    """Letters on their way through the gate, or past it, of which nobody has heard what became of them."""
    untried: Counter[int] = field(default_factory=Counter)
    """How often in a row a delivery was put off without having been tried."""
    refill_threshold: int = 0
    """With so many deliveries on the tray, no more are claimed for now."""
    has_read_queue: bool = False
    """Whether it has seen how the queue and the holds stand."""
    intact: bool = True
    """Whether nothing of it is lost: no letter was cut off past the gate, and nothing but a relay failed."""
    stopping: bool = False
    """Whether nothing more is to be carried for now."""
    feeder_wakeup: asyncio.Event = field(default_factory=asyncio.Event)
    """Something for the clerk to look at: the tray wants refilling, a lane closed, a connection ended."""
    renderer_wakeup: asyncio.Event = field(default_factory=asyncio.Event)
    """Something for the writers to look at: deliveries on the tray, or room for letters."""
    changed_lanes: list[Lane] = field(default_factory=list)
    """Lanes that closed or opened, of which the ledger does not know yet."""
    wrongly_refused: dict[int, Delivery] = field(default_factory=dict)
    """Deliveries noted as failed for what was not their fault."""
    refused: dict[int, tuple[Delivery, RelayOutcome]] = field(default_factory=dict)
    """Deliveries that failed by the relay's word on them, until it is known to be about them."""
    governor_counts: Counter[CounterKey] = field(default_factory=Counter)
    """What was said of campaigns' letters, for the governor; and when it was last told."""
    governed_at: datetime | None = None
    render_failures: list[RenderFailure] = field(default_factory=list)

    @property
    def closing(self) -> bool:
        return self.app.wakeups.closing.is_set()

    def requeue(self, delivery: Delivery) -> None:
        """Lay what was taken from the tray there again."""
        self.scheduler.mark_finished(delivery)
        self.scheduler.put([delivery])
        self.feeder_wakeup.set()

    def recall(self, route: Route[RenderedLetter]) -> None:
        """Take back the letters that lie ready for a relay: others may carry them, or the clerk puts them back."""
        for written in route.ready:
            self.scheduler.mark_finished(written.delivery)
        self.scheduler.put(written.delivery for written in route.ready)
        route.ready.clear()
        route.wake_all()


async def start_worker(app: App, priority: Priority, predecessor: SendWorker | None = None) -> SendWorker:
    """A new worker for a priority, after what dead ones left behind is taken back; and what an earlier self did.

    On SQLite the caller owns the database and is the only sender of this priority: all others are dead.
    """
    now = app.clock()
    if app.presence.is_needed:
        worker_id = await asyncio.to_thread(app.presence.register, priority.value, now, app.lease)
    else:
        worker_id = await app.database.write(workers.register, priority.value, now, app.lease)
    worker = SendWorker(
        app=app,
        priority=priority,
        worker_id=worker_id,
        routes=tuple(_build_route(app, relay, priority) for relay in app.relays),
        ledger=OutcomeGroupCommit(app.database, worker_id, app.clock),
        renderer=LetterRenderer(app),
        scheduler=LaneScheduler(
            lambda domain: app.domain_limits[domain].connections if domain in app.domain_limits else DEFAULT_CONCURRENCY
        ),
        renewed_at=now,
    )
    if predecessor is not None:
        worker.wrongly_refused, worker.refused, worker.governor_counts = (
            predecessor.wrongly_refused,
            predecessor.refused,
            predecessor.governor_counts,
        )
    await recover_dead_workers(worker, now, *((predecessor.worker_id,) if predecessor else ()))
    return worker


async def abandon_worker(worker: SendWorker) -> None:
    """The desk's worker failed: others, too, may take back what it had, before its process comes to that."""
    if worker.app.presence.is_needed:
        await asyncio.to_thread(worker.app.presence.release_worker, worker.worker_id)


async def renew_lease(worker: SendWorker, now: datetime) -> None:
    """Be heard of well within the lease, and see who was not; LeaseLost."""
    if now - worker.renewed_at >= worker.app.lease / 12:
        await worker.app.database.write(workers.renew_lease, worker.worker_id, now, worker.app.lease)
        worker.renewed_at = now
        if worker.app.presence.is_needed:
            await recover_dead_workers(worker, now)


async def recover_dead_workers(worker: SendWorker, now: datetime, *known_dead: int) -> None:
    """What dead workers had claimed waits again; what they had handed is sent again, or parked."""
    database = worker.app.database
    found = await database.read(worker_presence.find_dead_workers, worker.priority.value, worker.worker_id, now)
    if gone := {*found, *known_dead}:
        recovered = await database.write(crash_recovery.recover_dead_workers, gone, now)
        if recovered.resent or recovered.parked:
            _log.warning("letters of unknown fate", resent=recovered.resent, parked=recovered.parked)


def _build_route(app: App, relay: Relay, priority: Priority) -> Route[RenderedLetter]:
    async def lease() -> RateLease:
        kept = NOTICE_SHARE if priority is Priority.CAMPAIGNS else 0.0
        most = max(1, int(relay.limits.per_second or connections))
        name = f"relay {relay}"
        return await app.database.write(rate_budgets.lease, name, relay.limits, most, app.clock(), reserved_share=kept)

    connections = connection_quota(relay, priority)
    pace = RateLimiter(lease if relay.limits.is_limited else None, app.clock)
    return Route(relay, connections, pace, Lane(f"relay {relay}", connections))
