"""What a relay's outcome means for its delivery, for the lanes it went through, and for the governor."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from mailer.actions.delivery.render_letter import RenderedLetter
from mailer.actions.delivery.send_worker import SendWorker
from mailer.domain.abuse_limits import CounterKind
from mailer.domain.delivery import Concern, Delivery, DeliveryOutcome, DeliveryState, RelayOutcome
from mailer.domain.retry import decide_outcome, retry_wrongly_refused
from mailer.mail.bounces.smtp_rejection import is_letter_rejection
from mailer.relay.lane import Lane
from mailer.relay.route import Route
from mailer.relay.smtp_protocol import SERVICE_CLOSING


def process_outcome(
    worker: SendWorker, route: Route[RenderedLetter], delivery: Delivery, outcome: RelayOutcome, started_at: datetime
) -> DeliveryOutcome:
    """Update lanes and counters with the outcome of a letter begun at `started_at`; returns what is to be recorded."""
    app, queue, now = worker.app, worker.queue, worker.app.clock()
    outcome = queue.limit_untried(delivery, outcome)
    decided = decide_outcome(delivery, outcome, now, app.chance())
    for lane in _affected_lanes(worker, route, delivery, outcome):
        closed_before = lane.closed_until
        for wrongly_refused in lane.record_outcome(delivery, outcome, now, started_at):
            if wrongly_refused is delivery:
                decided = retry_wrongly_refused(decided, delivery, now, app.chance())
            else:
                queue.add_wrongly_refused(wrongly_refused)
        if lane.closed_until != closed_before:
            queue.add_changed_lane(lane)
            queue.feeder_wakeup.set()
            if lane is route.lane and lane.closed_until is not None:
                queue.recall(route)
    if (kind := _governor_kind(route, decided, outcome, now)) is not None:
        queue.count_for_governor(delivery, kind, 1)
    if is_letter_rejection(decided, outcome):
        queue.add_refused(delivery, outcome)
    return decided


def _affected_lanes(
    worker: SendWorker, route: Route[RenderedLetter], delivery: Delivery, outcome: RelayOutcome
) -> Iterable[Lane]:
    """The lanes that learn from an outcome.

    Where the relay speaks for itself, the destination does not; how busy the relay is, the route learns elsewhere.
    """
    if not outcome.by_relay:
        return worker.queue.scheduler.lane(delivery.domain), route.lane
    return (route.lane,) if outcome.concern is Concern.SENDER else ()


def _governor_kind(
    route: Route[RenderedLetter], decided: DeliveryOutcome, outcome: RelayOutcome, now: datetime
) -> CounterKind | None:
    """What the governor counts; None if there was no reply, or the relay spoke for itself."""
    if decided.state is DeliveryState.ACCEPTED:
        return CounterKind.ACCEPTED
    if decided.code is None or decided.code == SERVICE_CLOSING or outcome.by_relay or route.lane.closed(now):
        return None
    is_refused = decided.state is DeliveryState.FAILED and decided.code >= 500
    return CounterKind.REFUSED if is_refused else CounterKind.DEFERRED
