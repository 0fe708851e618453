"""Delivery task: one connection that takes ready letters, passes the gate, sends, and records the outcomes."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.actions.delivery.process_outcome import process_outcome
from mailer.actions.delivery.render_letter import RenderedLetter
from mailer.actions.delivery.send_worker import SendWorker
from mailer.domain.delivery import Concern, DeliveryOutcome, RelayOutcome, Verdict
from mailer.errors import BudgetSpent, RelayUnavailable
from mailer.relay.lane import format_reply
from mailer.relay.reconnecting_connection import ReconnectingConnection
from mailer.relay.route import Route
from mailer.store.queue.gate import HandoffRequest
from mailer.store.queue.outcome_group_commit import OutcomeGroupCommit


async def deliver_letters(worker: SendWorker, route: Route[RenderedLetter]) -> None:
    """Send letters over one connection until the run stops or the relay takes no more.

    Raises RelayUnavailable if the relay cannot be reached or puts us off.
    """
    await _Delivery(worker, route).run()


@dataclass(slots=True)
class PendingOutcome:
    """The outcome of a connection's last letter until it is committed, once."""

    group_commit: OutcomeGroupCommit
    outcome: DeliveryOutcome | None = None

    async def commit(self, request: HandoffRequest | None = None) -> bool:
        """Commit the outcome, and ask the gate for the next letter in the same transaction; whether it may be sent."""
        outcome, self.outcome = self.outcome, None
        return await self.group_commit.commit(outcome, request)


class _Delivery:
    """One delivery task: its worker, its route and its connection."""

    def __init__(self, worker: SendWorker, route: Route[RenderedLetter]) -> None:
        self._worker, self._route, self._queue = worker, route, worker.queue
        self._connection = ReconnectingConnection(route.relay, route.session_limit)
        self._pending = PendingOutcome(worker.outcomes)

    async def run(self) -> None:
        try:
            # Connect before any letter is taken: a relay that is down must not keep letters from other routes.
            if not await self._worker.app.wakeups.run_unless_closing(self._connection.open()):
                return
            with self._route.connected():
                self._queue.renderer_wakeup.set()
                await self._send_until_stopped()
        finally:
            try:
                await self._pending.commit()
            finally:
                await self._connection.close()
                self._queue.feeder_wakeup.set()

    async def _send_until_stopped(self) -> None:
        route = self._route
        while not self._should_stop():
            if not route.ready:
                await self._pending.commit()
                if not (route.ready or self._should_stop()):
                    await route.wait_for_letter()
                continue
            if route.rate_limiter.is_limited:
                await self._pending.commit()
                if not await self._wait_for_rate_limit():
                    return
            if not (self._connection.ready or await self._reconnect()):
                return
            await self._send_next()

    def _should_stop(self) -> bool:
        """Whether the run stops, the relay's lane is closed, or the relay takes fewer connections."""
        route = self._route
        is_closed = route.lane.closed_until is not None and route.lane.closed(self._worker.app.clock())
        return not self._worker.may_take_letters or is_closed or route.open_connections > route.max_connections

    async def _reconnect(self) -> bool:
        """Replace a connection that ended; False if the service closes. Raises RelayUnavailable.

        That may take long, so the last outcome is committed first, and letters that are ready go to other routes.
        """
        await self._pending.commit()
        worker, route = self._worker, self._route
        with route.reconnecting():
            now = worker.app.clock()
            if not route.open_connections and any(other.free_slots(now) for other in worker.routes):
                self._queue.recall(route)
                self._queue.renderer_wakeup.set()
            is_open = await self._worker.app.wakeups.run_unless_closing(self._connection.open())
        self._queue.renderer_wakeup.set()
        return is_open

    async def _wait_for_rate_limit(self) -> bool:
        """Wait until the relay's limits allow one more letter; False if the service closes. Raises RelayUnavailable."""
        route = self._route
        try:
            return await self._worker.app.wakeups.run_unless_closing(route.rate_limiter.acquire())
        except BudgetSpent as error:
            route.lane.close(error.until, str(error))
            self._queue.add_changed_lane(route.lane)
            raise RelayUnavailable(f"the relay {route.relay}: {error}") from error

    async def _send_next(self) -> None:
        """Commit the last outcome, pass the gate with the next letter and send it.

        Raises RelayUnavailable if the relay puts us off.
        """
        letter = self._take_ready()
        if letter is None:
            return
        queue, delivery = self._queue, letter.delivery
        queue.begin_handoff(delivery)
        try:
            if not await self._pending.commit(letter.handoff):
                queue.end_handoff(missed_gate=True)
                return
            outcome = await self._send_handed(letter)
        finally:
            queue.mark_finished(delivery, self._route)
        if outcome.verdict is Verdict.UNTRIED:
            await self._pending.commit()
            queue.feeder_wakeup.set()  # the delivery is due at once
            if outcome.concern is Concern.THROTTLE:
                error = f"the relay {self._route.relay} puts us off: {format_reply(outcome)}"
                raise RelayUnavailable(error, too_many_connections=bool(outcome.code))

    def _take_ready(self) -> RenderedLetter | None:
        """The next ready letter; None if there is none or its lane closed, and then the feeder releases it."""
        route = self._route
        if not route.ready:
            return None
        letter = route.ready.popleft()
        if len(route.ready) * 2 <= route.connections:
            self._queue.renderer_wakeup.set()
        lane = self._queue.scheduler.lane(letter.delivery.domain)
        if lane.closed_until is not None and lane.closed(self._worker.app.clock()):
            self._queue.put_back(letter.delivery)
            return None
        return letter

    async def _send_handed(self, letter: RenderedLetter) -> RelayOutcome:
        """Send a letter that passed the gate; its outcome is pending afterwards."""
        self._queue.count_handed()
        started_at = self._worker.app.clock()
        outcome = await self._connection.send(letter.letter)
        self._pending.outcome = process_outcome(self._worker, self._route, letter.delivery, outcome, started_at)
        self._queue.end_handoff()
        return outcome
