"""Queue feeder: claims due deliveries for a worker, and records everything but the outcomes of its letters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from mailer.actions.delivery.apply_governor import apply_governor
from mailer.actions.delivery.lane_hold_sync import apply_holds, record_lane_changes
from mailer.actions.delivery.send_worker import SendWorker
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import NOTICES, Delivery
from mailer.domain.retry import WRONGLY_REFUSED_WAIT, render_again_at
from mailer.mail.bounces.smtp_rejection import build_rejection_feedback
from mailer.relay.route import Priority
from mailer.store import campaign_progress, campaigns
from mailer.store.queue import claim_release, deliveries, gate, queue_claiming, unrendered_notices
from mailer.store.queue.queue_claiming import QueueStatus

_log = structlog.get_logger()

_CLAIMS_PER_CONNECTION = 40
"""Deliveries claimed at a time, per connection: enough that no connection waits for a claim."""


async def fill_queue(worker: SendWorker) -> bool:
    """Claim due deliveries if few are left; returns whether any were claimed. Raises LeaseLost.

    1. Renew the lease, and recover what dead workers had claimed.
    2. Record what the letters taught: lanes, wrong refusals, render failures, refusals, governor counts.
    3. Read which campaigns are due and which lanes are held, and close or reopen lanes accordingly.
    4. Release deliveries whose lanes are closed, and mark campaigns as sent that have nothing open.
    5. Claim, unless enough is waiting or every relay's lane is closed.
    """
    queue, now = worker.queue, worker.app.clock()
    await worker.renew_lease(now)
    await _record_changes(worker, now)
    if worker.is_closing:
        return False
    if not queue.claimed:
        await worker.outcomes.delete_finished_claims()
    status = await _read_status(worker, now)
    apply_holds(worker, status.holds, now)
    await _release_closed_lanes(worker, now)
    queue.renderer_wakeup.set()  # a relay's lane may have reopened while deliveries wait in the scheduler
    await _finish_campaigns(worker, status.finished, now)
    if all(route.lane.closed(now) for route in worker.routes):
        # Due at once, and not when the lane reopens: a worker that reaches a relay earlier may claim them.
        unused = queue.scheduler.remove_all()
        await _release(worker, unused, [(one.id, now) for one in unused], now)
        return False
    return await _claim(worker, status, now)


async def _claim(worker: SendWorker, status: QueueStatus, now: datetime) -> bool:
    app, queue = worker.app, worker.queue
    limit = _CLAIMS_PER_CONNECTION * sum(route.connections for route in worker.routes if not route.lane.closed(now))
    queue.set_refill_threshold(limit // 2)
    if not status.due or queue.scheduler.size > queue.refill_threshold:
        return False
    limits = {name: one.limits for name, one in app.domain_limits.items() if one.limits.is_limited}
    claimed = await app.database.write(
        queue_claiming.claim_within_limits, status.due, worker.worker_id, limit, now, limits
    )
    worker.outcomes.add_claimed(claimed)
    queue.add_claimed(claimed)
    await _release_closed_lanes(worker, now)
    queue.renderer_wakeup.set()
    return bool(claimed)


async def requeue_unsent(worker: SendWorker) -> None:
    """End a run: release every claimed delivery that was not handed, record what is pending, delete finished claims."""
    queue, now = worker.queue, worker.app.clock()
    for route in worker.routes:
        queue.recall(route)
    queue.scheduler.remove_all()
    unused = list(queue.claimed.values())
    await _release(worker, unused, [(one.id, now) for one in unused], now)
    await _record_changes(worker, now, final=True)
    if unused and not worker.is_closing:
        worker.app.wakeups.for_priority(worker.priority).set()
    await worker.outcomes.delete_finished_claims()
    status = await _read_status(worker, now)
    await _finish_campaigns(worker, status.finished, now)


async def _read_status(worker: SendWorker, now: datetime) -> QueueStatus:
    return await worker.app.database.read(queue_claiming.inspect_queue, worker.priority is Priority.NOTICES, now)


async def _record_changes(worker: SendWorker, now: datetime, *, final: bool = False) -> None:
    """Record lanes, wrong refusals and render failures; pass refusals and counts on. `final`: all that is left."""
    app, queue = worker.app, worker.queue
    await record_lane_changes(worker, now)
    if queue.wrongly_refused:
        due_times = {one.id: now + WRONGLY_REFUSED_WAIT for one in queue.wrongly_refused.values()}
        # Those whose refusal is not committed yet stay for the next time.
        queue.remove_wrongly_refused(await app.database.write(deliveries.requeue_failed, due_times))
    while queue.render_failures:
        failure = queue.take_render_failure()
        await app.database.write(_hold_unrendered, failure.delivery, failure.reason, now)
        worker.outcomes.count_returned((failure.delivery.claim_id,))
    for delivery, outcome in queue.take_settled_refusals(worker.routes, final=final):
        app.pending_refusals.add(build_rejection_feedback(delivery, outcome, now))
    if worker.priority is Priority.CAMPAIGNS:
        counts = queue.take_governor_counts(now, final=final)
        if counts is not None:
            await apply_governor(app, counts)


def _hold_unrendered(tx: Connection, delivery: Delivery, reason: str, now: datetime) -> None:
    """Pause a campaign whose letter cannot be rendered; a notice waits, longer each time, and never fails for it."""
    if delivery.campaign_id == NOTICES:
        claim_release.release_deliveries(tx, [(delivery.id, render_again_at(delivery.queued_at, now))], now)
        unrendered_notices.note_unwritten(tx, delivery.id, reason)
    else:
        remark = f"cannot be written for {delivery.address}: {reason}"
        campaigns.change_state(
            tx, delivery.campaign_id, CampaignState.PAUSED, from_states=(CampaignState.SENDING,), remark=remark
        )
        claim_release.release_deliveries(tx, [(delivery.id, now)], now)


async def _release_closed_lanes(worker: SendWorker, now: datetime) -> None:
    """Release deliveries whose lanes are closed; they are due when the lane opens."""
    scheduler = worker.queue.scheduler
    removed = scheduler.remove_closed(now)
    await _release(worker, removed, [(one.id, scheduler.lane(one.domain).closed_until or now) for one in removed], now)


async def _release(
    worker: SendWorker, unused: Sequence[Delivery], due_times: Sequence[tuple[int, datetime]], now: datetime
) -> None:
    """Release claimed deliveries in the database; `due_times` says from when each (by id) may be claimed again."""
    if not unused:
        return
    await worker.app.database.write(gate.release_own_deliveries, worker.worker_id, due_times, now)
    worker.queue.remove_claimed(unused)
    worker.outcomes.count_returned(one.claim_id for one in unused)


async def _finish_campaigns(worker: SendWorker, campaign_ids: Sequence[int], now: datetime) -> None:
    for campaign_id in campaign_ids:
        await worker.app.database.write(_finish_campaign, campaign_id, now)


def _finish_campaign(tx: Connection, campaign_id: int, now: datetime) -> None:
    """Mark a campaign as sent if nothing is open; the lock keeps others from queueing letters again meanwhile."""
    campaigns.get(tx, campaign_id, lock=True)
    if not campaign_progress.any_open(tx, campaign_id):
        sending = (CampaignState.SENDING,)
        if campaigns.change_state(tx, campaign_id, CampaignState.SENT, from_states=sending, finished_at=now):
            _log.info("sent campaign", campaign=campaign_id)
