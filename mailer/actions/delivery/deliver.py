"""A connection's work: take a letter that lies ready, pass the gate, give it to the relay, note the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mailer.actions.delivery.render_letter import RenderedLetter
from mailer.actions.delivery.send_worker import SendWorker
from mailer.domain.abuse_limits import CounterKind
from mailer.domain.delivery import NOTICES, Concern, Delivery, DeliveryOutcome, DeliveryState, RelayOutcome, Verdict
from mailer.domain.retry import decide_outcome, retry_wrongly_refused
from mailer.errors import BudgetSpent, RelayUnavailable
from mailer.mail.bounces.smtp_rejection import is_letter_rejection
from mailer.relay.lane import Lane, format_reply
from mailer.relay.reconnecting_connection import ReconnectingConnection
from mailer.relay.route import Route
from mailer.relay.smtp_protocol import SERVICE_CLOSING
from mailer.store.queue.gate import HandoffRequest
from mailer.store.queue.outcome_group_commit import OutcomeGroupCommit

_MAX_UNTRIED = 5
"""How often a letter may be put off at once without having been tried: it must not keep the others waiting."""


async def deliver_letters(worker: SendWorker, route: Route[RenderedLetter]) -> None:
    """Carry letters over one line until we are sent home, or the relay does so. RelayUnavailable."""
    line, pending = ReconnectingConnection(route.relay, route.session_limit), PendingOutcome(worker.ledger)
    try:
        # Before anything is taken: a relay that is down keeps no letter from the others.
        if not await run_unless_closing(worker, line.open()):
            return
        with route.connected():
            worker.renderer_wakeup.set()
            await _deliver_until_stopped(worker, route, line, pending)
    finally:
        try:
            await pending.commit()
        finally:
            await line.close()
            worker.feeder_wakeup.set()


async def _deliver_until_stopped(
    worker: SendWorker, route: Route[RenderedLetter], line: ReconnectingConnection, pending: PendingOutcome
) -> None:
    while not _should_stop(worker, route):
        if not route.ready:
            await pending.commit()
            if not (route.ready or _should_stop(worker, route)):
                await route.wait_for_letter()
            continue
        if route.rate_limiter.is_limited:
            await pending.commit()
            if not await _wait_for_rate_limit(worker, route):
                return
        if not (line.ready or await _reconnect(worker, route, line, pending)):
            return
        await _deliver_next(worker, route, line, pending)


def _should_stop(worker: SendWorker, route: Route[RenderedLetter]) -> bool:
    """Whether nothing more is to be carried to this relay for now, or by fewer."""
    lane = route.lane
    held = lane.closed_until is not None and lane.closed(worker.app.clock())
    return worker.closing or worker.stopping or held or route.open_connections > route.max_connections


async def _reconnect(
    worker: SendWorker, route: Route[RenderedLetter], line: ReconnectingConnection, pending: PendingOutcome
) -> bool:
    """Have a new connection in place of one that ended; False when we are closing. RelayUnavailable.

    That may take long: what became of the last letter is noted before, and letters are for who is there meanwhile.
    """
    await pending.commit()
    with route.reconnecting():
        now = worker.app.clock()
        if not route.open_connections and any(other.free_slots(now) for other in worker.routes):
            worker.recall(route)
            worker.renderer_wakeup.set()
        came = await run_unless_closing(worker, line.open())
    worker.renderer_wakeup.set()
    return came


@dataclass(slots=True)
class PendingOutcome:
    """What became of a connection's last letter, until it is written down: once."""

    ledger: OutcomeGroupCommit
    outcome: DeliveryOutcome | None = None

    async def commit(self, wanted: HandoffRequest | None = None) -> bool:
        """Write it down, and ask for the next letter in the same turn of the ledger."""
        settled, self.outcome = self.outcome, None
        return await self.ledger.commit(settled, wanted)


async def _deliver_next(
    worker: SendWorker, route: Route[RenderedLetter], line: ReconnectingConnection, pending: PendingOutcome
) -> None:
    """Note the last letter's fate, and carry the next one through the gate. RelayUnavailable where it is put off."""
    if not route.ready:
        return
    written = route.ready.popleft()
    delivery = written.delivery
    if len(route.ready) * 2 <= route.connections:
        worker.renderer_wakeup.set()
    lane = worker.scheduler.lane(delivery.domain)
    if lane.closed_until is not None and lane.closed(worker.app.clock()):
        worker.requeue(delivery)  # the clerk puts it back
        return
    del worker.claimed[delivery.id]
    worker.unanswered += 1
    try:
        if not await pending.commit(written.handoff):
            worker.unanswered -= 1
            worker.feeder_wakeup.set()
            return
        worker.handed += 1
        given_at = worker.app.clock()
        outcome = await line.send(written.letter)
        pending.outcome = _process_outcome(worker, route, delivery, outcome, given_at)
        worker.unanswered -= 1
    finally:
        _mark_finished(worker, route, delivery)
    if outcome.verdict is Verdict.UNTRIED:
        await pending.commit()
        worker.feeder_wakeup.set()  # it is due at once
        if outcome.concern is Concern.THROTTLE:
            raise RelayUnavailable(
                f"the relay {route.relay} puts us off: {format_reply(outcome)}", too_many_connections=bool(outcome.code)
            )


def _mark_finished(worker: SendWorker, route: Route[RenderedLetter], delivery: Delivery) -> None:
    worker.scheduler.mark_finished(delivery)
    if worker.scheduler.size and not route.ready:
        worker.renderer_wakeup.set()
    if not (worker.claimed or worker.scheduler.in_flight):
        worker.feeder_wakeup.set()


def _process_outcome(
    worker: SendWorker, route: Route[RenderedLetter], delivery: Delivery, outcome: RelayOutcome, given_at: datetime
) -> DeliveryOutcome:
    """What the outcome means for a delivery, and for the lanes it went through."""
    now = worker.app.clock()
    outcome = _limit_untried(worker, delivery, outcome)
    settled = decide_outcome(delivery, outcome, now, worker.app.chance())
    for lane in _affected_lanes(worker, route, delivery, outcome):
        was = lane.closed_until
        for wronged in lane.record_outcome(delivery, outcome, now, given_at):
            if wronged is delivery:
                settled = retry_wrongly_refused(settled, delivery, now, worker.app.chance())
            else:
                worker.wrongly_refused[wronged.id] = wronged
                worker.refused.pop(wronged.id, None)
                _count_for_governor(worker, wronged, CounterKind.REFUSED, -1)
        if lane.closed_until != was:
            worker.changed_lanes.append(lane)
            worker.feeder_wakeup.set()
            if lane is route.lane and lane.closed_until is not None:
                worker.recall(route)
    _count_for_governor(worker, delivery, _governor_kind(route, settled, outcome, now), 1)
    if is_letter_rejection(settled, outcome):
        worker.refused[delivery.id] = delivery, outcome
    return settled


def _limit_untried(worker: SendWorker, delivery: Delivery, outcome: RelayOutcome) -> RelayOutcome:
    """The outcome; of a letter that is put off untried once more than others, that it was tried."""
    if outcome.verdict is not Verdict.UNTRIED:
        worker.untried.pop(delivery.id, None)
        return outcome
    worker.untried[delivery.id] += 1
    if worker.untried[delivery.id] <= _MAX_UNTRIED:
        return outcome
    del worker.untried[delivery.id]
    return replace(outcome, verdict=Verdict.DEFERRED)


def _affected_lanes(
    worker: SendWorker, route: Route[RenderedLetter], delivery: Delivery, outcome: RelayOutcome
) -> Iterable[Lane]:
    """Whom the outcome is about: where the relay speaks for itself, no destination; how busy it is, its route knows."""
    if not outcome.by_relay:
        return worker.scheduler.lane(delivery.domain), route.lane
    return (route.lane,) if outcome.concern is Concern.SENDER else ()


def _governor_kind(
    route: Route[RenderedLetter], settled: DeliveryOutcome, outcome: RelayOutcome, now: datetime
) -> CounterKind | None:
    """What the governor is told; nothing where nobody answered, or the relay did so for itself."""
    if settled.state is DeliveryState.ACCEPTED:
        return CounterKind.ACCEPTED
    if settled.code is None or settled.code == SERVICE_CLOSING or outcome.by_relay or route.lane.closed(now):
        return None
    return (
        CounterKind.REFUSED if settled.state is DeliveryState.FAILED and settled.code >= 500 else CounterKind.DEFERRED
    )


def _count_for_governor(worker: SendWorker, delivery: Delivery, kind: CounterKind | None, number: int) -> None:
    if kind is not None and delivery.campaign_id != NOTICES:
        worker.governor_counts[delivery.campaign_id, delivery.domain, kind] += number
        worker.governor_counts[delivery.campaign_id, "", kind] += number


async def _wait_for_rate_limit(worker: SendWorker, route: Route[RenderedLetter]) -> bool:
    """Wait until the relay's limits let a letter go; False when we shall not."""
    try:
        return await run_unless_closing(worker, route.rate_limiter.acquire())
    except BudgetSpent as spent:
        route.lane.close(spent.until, str(spent))
        worker.changed_lanes.append(route.lane)
        raise RelayUnavailable(f"the relay {route.relay}: {spent}") from spent


async def run_unless_closing(worker: SendWorker, work: Coroutine[Any, Any, object]) -> bool:
    """Do something that may take long; False when the service closes before it is done."""
    working, closing = asyncio.ensure_future(work), asyncio.ensure_future(worker.app.wakeups.closing.wait())
    try:
        await asyncio.wait((working, closing), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        return not closing.done()
    finally:
        working.cancel()
        closing.cancel()
        await asyncio.gather(working, closing, return_exceptions=True)
