"""The clerk's work: between a desk and the ledger, but for the turns of the connections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from mailer.actions.delivery.apply_governor import apply_governor
from mailer.actions.delivery.send_worker import SendWorker, renew_lease
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import NOTICES, Delivery
from mailer.domain.governor import CHECK_INTERVAL, take_reportable_counts
from mailer.domain.retry import WRONGLY_REFUSED_WAIT, render_again_at
from mailer.mail.bounces.smtp_rejection import build_rejection_feedback
from mailer.relay.lane import Lane
from mailer.relay.route import Priority
from mailer.store import campaign_progress, campaigns
from mailer.store.queue import claim_release, deliveries, gate, lane_holds, queue_claiming, unrendered_notices
from mailer.store.queue.lane_holds import Hold
from mailer.store.queue.queue_claiming import QueueStatus

_log = structlog.get_logger()

_NOTICE_HOLD_PREFIX = "notices to "
_CLAIMS_PER_CONNECTION = 40
"""Deliveries claimed at a time, per connection: enough that no connection waits for a claim."""


async def fill_queue(worker: SendWorker) -> bool:
    """Write down what was learned, heed what others learned, and claim what is due; whether anything was."""
    app, now = worker.app, worker.app.clock()
    await renew_lease(worker, now)
    await record_changes(worker, now)
    report_refusals(worker, now)
    await _report_to_governor(worker, now)
    if worker.closing:
        return False
    if not worker.claimed:
        await worker.ledger.delete_finished_claims()
    seen = await app.database.read(queue_claiming.inspect_queue, worker.priority is Priority.NOTICES, now)
    _apply_holds(worker, seen, now)
    await _requeue_closed_lanes(worker, now)
    worker.renderer_wakeup.set()  # the hour of a relay's lane may have passed, with letters on the tray
    await _finish_campaigns(worker, seen.finished, now)
    if all(route.lane.closed(now) for route in worker.routes):
        # At no hour: whoever starts anew, or finds a relay well before its time, may take them.
        unused = worker.scheduler.remove_all()
        await _requeue(worker, unused, [(one.id, now) for one in unused], now)
        return False
    most = _CLAIMS_PER_CONNECTION * sum(route.connections for route in worker.routes if not route.lane.closed(now))
    worker.refill_threshold = most // 2
    if not seen.due or worker.scheduler.size > worker.refill_threshold:
        return False
    limits = {name: one.limits for name, one in app.domain_limits.items() if one.limits.is_limited}
    claimed = await app.database.write(
        queue_claiming.claim_within_limits, seen.due, worker.worker_id, most, now, limits
    )
    worker.claimed.update((one.id, one) for one in claimed)
    worker.ledger.add_claimed(claimed)
    worker.scheduler.put(claimed)
    await _requeue_closed_lanes(worker, now)
    worker.renderer_wakeup.set()
    return bool(claimed)


async def record_changes(worker: SendWorker, now: datetime) -> None:
    """Tell the ledger which lanes closed or opened, who was wronged, and what cannot be written."""
    for lane in worker.changed_lanes:
        await worker.app.database.write(_record_hold, worker.priority, lane, now)
    worker.changed_lanes.clear()
    if worker.wrongly_refused:
        hours = {one.id: now + WRONGLY_REFUSED_WAIT for one in worker.wrongly_refused.values()}
        for number in await worker.app.database.write(deliveries.requeue_failed, hours):
            worker.wrongly_refused.pop(number, None)  # the others' refusals are not committed yet
    while worker.render_failures:
        one = worker.render_failures.pop()
        worker.claimed.pop(one.delivery.id, None)
        await worker.app.database.write(_hold_unrendered, one.delivery, one.why, now)
        worker.ledger.count_returned((one.delivery.claim_id,))


async def _report_to_governor(worker: SendWorker, now: datetime, *, final: bool = False) -> None:
    """Tell the governor what was heard, now and then; what it stops is heeded with the next look."""
    if worker.priority is not Priority.CAMPAIGNS:
        return
    if worker.governed_at is None or now - worker.governed_at >= CHECK_INTERVAL or (final and worker.governor_counts):
        worker.governed_at = now
        await apply_governor(worker.app, take_reportable_counts(worker.governor_counts))


def report_refusals(worker: SendWorker, now: datetime, *, final: bool = False) -> None:
    """Lay what was refused for its reader's sake where it is acted on.

    While others are refused in the same words, it may be the lane that is unwell, not they; at the end nobody knows.
    """
    for delivery, outcome in list(worker.refused.values()):
        lanes = (worker.scheduler.lane(delivery.domain), *(route.lane for route in worker.routes))
        if final or not any(lane.is_suspect(delivery) for lane in lanes):
            del worker.refused[delivery.id]
            worker.app.pending_refusals.append(build_rejection_feedback(delivery, outcome, now))


def _record_hold(tx: Connection, priority: Priority, lane: Lane, now: datetime) -> None:
    name = _hold_name(priority, lane.name)
    if lane.closed_until is None:
        lane_holds.lift_hold(tx, name)
        _log.info("open again", lane=name)
    else:
        lane_holds.set_hold(tx, Hold(lane=name, until=lane.closed_until, reason=lane.reason), now)
        _log.warning("held", lane=name, until=lane.closed_until, why=lane.reason)


def _hold_name(priority: Priority, lane: str) -> str:
    """A lane's name among the holds: notices have holds of their own, and never wait for a campaign's."""
    return f"{_NOTICE_HOLD_PREFIX}{lane}" if priority is Priority.NOTICES else lane


def _hold_unrendered(tx: Connection, delivery: Delivery, why: str, now: datetime) -> None:
    """A campaign is paused with the reason; a notice waits, longer each time, for it is our fault."""
    if delivery.campaign_id == NOTICES:
        claim_release.release_deliveries(tx, [(delivery.id, render_again_at(delivery.queued_at, now))], now)
        unrendered_notices.note_unwritten(tx, delivery.id, why)
    else:
        remark = f"cannot be written for {delivery.address}: {why}"
        campaigns.change_state(
            tx, delivery.campaign_id, CampaignState.PAUSED, from_states=(CampaignState.SENDING,), remark=remark
        )
        claim_release.release_deliveries(tx, [(delivery.id, now)], now)


def _apply_holds(worker: SendWorker, seen: QueueStatus, now: datetime) -> None:
    """Close the lanes that are held, by whomever; those whose hour has passed take a single letter first.

    So do relays when we have just started, whatever their hour: people start us anew when they have mended something.
    And one that was found well by others is open.
    """
    known = {_hold_name(worker.priority, route.lane.name): route.lane for route in worker.routes}
    for name, hold in seen.holds.items():
        lane = known.get(name) or _domain_lane(worker, name)
        if lane is not None and lane.closed_until is None and lane not in worker.changed_lanes:
            lane.apply_hold(now if name in known and not worker.has_read_queue else hold.until, hold.reason)
    for name, lane in known.items():
        if name not in seen.holds and lane.closed_until is not None and lane not in worker.changed_lanes:
            lane.reopen()
    worker.has_read_queue = True


def _domain_lane(worker: SendWorker, name: str) -> Lane | None:
    """The lane to a domain that is held; of a hold that is another relay's, or of the other priority, None."""
    of_notices = name.startswith(_NOTICE_HOLD_PREFIX)
    domain = name.removeprefix(_NOTICE_HOLD_PREFIX)
    if of_notices is not (worker.priority is Priority.NOTICES) or domain.startswith("relay "):
        return None
    return worker.scheduler.lane(domain)


async def _requeue_closed_lanes(worker: SendWorker, now: datetime) -> None:
    """What waits in lanes that are closed goes back to the ledger until they open."""
    cleared = worker.scheduler.remove_closed(now)
    hours = [(one.id, worker.scheduler.lane(one.domain).closed_until or now) for one in cleared]
    await _requeue(worker, cleared, hours, now)


async def _requeue(
    worker: SendWorker, unused: Sequence[Delivery], hours: Sequence[tuple[int, datetime]], now: datetime
) -> None:
    if not unused:
        return
    await worker.app.database.write(gate.release_own_deliveries, worker.worker_id, hours, now)
    for one in unused:
        worker.claimed.pop(one.id, None)
    worker.ledger.count_returned(one.claim_id for one in unused)


async def requeue_unsent(worker: SendWorker) -> None:
    """The run is over: whatever did not come to the gate waits again, and claims that are done are forgotten."""
    now = worker.app.clock()
    for route in worker.routes:
        worker.recall(route)
    worker.scheduler.remove_all()
    unused = list(worker.claimed.values())
    await _requeue(worker, unused, [(one.id, now) for one in unused], now)
    await record_changes(worker, now)
    report_refusals(worker, now, final=True)
    await _report_to_governor(worker, now, final=True)
    if unused and not worker.closing:
        worker.app.wakeups.for_priority(worker.priority).set()
    await worker.ledger.delete_finished_claims()
    seen = await worker.app.database.read(queue_claiming.inspect_queue, worker.priority is Priority.NOTICES, now)
    await _finish_campaigns(worker, seen.finished, now)


async def _finish_campaigns(worker: SendWorker, over: Sequence[int], now: datetime) -> None:
    for campaign_id in over:
        await worker.app.database.write(_finish_campaign, campaign_id, now)


def _finish_campaign(tx: Connection, campaign_id: int, now: datetime) -> None:
    """ "sent" is said only when nothing waits; whoever lets letters wait again has the campaign's row meanwhile."""
    campaigns.get(tx, campaign_id, lock=True)
    if not campaign_progress.any_open(tx, campaign_id):
        sending = (CampaignState.SENDING,)
        if campaigns.change_state(tx, campaign_id, CampaignState.SENT, from_states=sending, finished_at=now):
            _log.info("campaign sent", campaign=campaign_id)
