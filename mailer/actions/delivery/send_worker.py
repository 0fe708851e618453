"""SendWorker: one sender of one priority, with its identity in the database, its routes and its part of the queue."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

import structlog

from mailer.actions.delivery.queue_state import QueueState
from mailer.actions.delivery.render_letter import LetterRenderer, RenderedLetter
from mailer.app import App
from mailer.domain.rate_limits import RateLease
from mailer.mail.bounces.bounce_phrases import load_bounce_phrases
from mailer.relay.lane import Lane
from mailer.relay.lane_scheduler import DEFAULT_CONCURRENCY, LaneScheduler
from mailer.relay.rate_limiter import RateLimiter
from mailer.relay.route import NOTICE_SHARE, Priority, Route, connection_quota
from mailer.relay.smtp_connection import Relay
from mailer.store.queue import crash_recovery, rate_budgets, worker_presence, workers
from mailer.store.queue.outcome_group_commit import OutcomeGroupCommit

_log = structlog.get_logger()

_RENEWALS_PER_LEASE = 12


@dataclass(slots=True)
class SendWorker:
    """One sender of one priority: made by `start_worker`, run by `send`, given up by `abandon`."""

    app: App
    priority: Priority
    worker_id: int
    """Its row in the database; its claims bear this number."""
    routes: tuple[Route[RenderedLetter], ...]
    """One for each relay."""
    outcomes: OutcomeGroupCommit
    """Records outcomes, and asks the gate for the next letters."""
    renderer: LetterRenderer
    queue: QueueState
    renewed_at: datetime
    """When its lease was last renewed."""
    is_intact: bool = True
    """Whether nothing was lost: no letter was cut off past the gate, and nothing failed but a relay."""
    is_stopping: bool = False
    """Whether this run is ending: no more letters are rendered or taken."""

    @property
    def is_closing(self) -> bool:
        """Whether the service is ending."""
        return self.app.wakeups.closing.is_set()

    @property
    def may_take_letters(self) -> bool:
        """Whether tasks may render and take letters."""
        return not (self.is_closing or self.is_stopping)

    def begin_run(self) -> None:
        """Start a run of `send`; until `end_run` the worker counts as not intact."""
        self.queue.begin_run()
        self.is_stopping = self.is_intact = False

    def stop_run(self) -> None:
        """Tell all tasks to end after their current letter."""
        self.is_stopping = True
        for route in self.routes:
            route.wake_all()

    def end_run(self) -> None:
        """The run ended and nothing was lost."""
        self.is_intact = True

    async def renew_lease(self, now: datetime) -> None:
        """Renew the lease well before it ends, and recover what dead workers left. Raises LeaseLost."""
        if now - self.renewed_at >= self.app.lease / _RENEWALS_PER_LEASE:
            await self.app.database.write(workers.renew_lease, self.worker_id, now, self.app.lease)
            self.renewed_at = now
            if self.app.presence.is_needed:
                await self.recover_dead_workers(now)

    async def recover_dead_workers(self, now: datetime, *known_dead: int) -> None:
        """Queue again what dead workers of this priority had claimed; resend or park what they had handed."""
        database = self.app.database
        found = await database.read(worker_presence.find_dead_workers, self.priority.value, self.worker_id, now)
        if dead := {*found, *known_dead}:
            recovered = await database.write(crash_recovery.recover_dead_workers, dead, now)
            if recovered.resent or recovered.parked:
                _log.warning("recovered handed letters", resent=recovered.resent, parked=recovered.parked)

    async def abandon(self) -> None:
        """Let other processes recover what this failed worker had, although its process lives on."""
        if self.app.presence.is_needed:
            await asyncio.to_thread(self.app.presence.release_worker, self.worker_id)


async def start_worker(app: App, priority: Priority, predecessor: SendWorker | None = None) -> SendWorker:
    """Register a worker for a priority, and recover what dead workers and its `predecessor` in this process left.

    On SQLite the caller owns the database and is the only sender of this priority, so all other workers are dead.
    """
    # Read before the first reply is classified, which happens on the event loop.
    await asyncio.to_thread(load_bounce_phrases)
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
        outcomes=OutcomeGroupCommit(app.database, worker_id, app.clock),
        renderer=LetterRenderer(app),
        queue=QueueState(_build_scheduler(app)),
        renewed_at=now,
    )
    if predecessor is not None:
        worker.queue.take_over(predecessor.queue)
    await worker.recover_dead_workers(now, *((predecessor.worker_id,) if predecessor else ()))
    return worker


def _build_scheduler(app: App) -> LaneScheduler:
    limits = app.domain_limits
    return LaneScheduler(lambda domain: limits[domain].connections if domain in limits else DEFAULT_CONCURRENCY)


def _build_route(app: App, relay: Relay, priority: Priority) -> Route[RenderedLetter]:
    connections = connection_quota(relay, priority)
    most = max(1, int(relay.limits.per_second or connections))
    reserved = NOTICE_SHARE if priority is Priority.CAMPAIGNS else 0.0
    name = f"relay {relay}"

    async def lease() -> RateLease:
        now = app.clock()
        return await app.database.write(rate_budgets.lease, name, relay.limits, most, now, reserved_share=reserved)

    rate_limiter = RateLimiter(lease if relay.limits.is_limited else None, app.clock)
    return Route(relay, connections, rate_limiter, Lane(name, connections))
