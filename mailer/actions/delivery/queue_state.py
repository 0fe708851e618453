"""QueueState: the deliveries that one send worker has claimed, and what the relays' replies taught it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mailer.actions.delivery.render_letter import RenderedLetter, RenderFailure
from mailer.domain.abuse_limits import CounterKind
from mailer.domain.delivery import NOTICES, Delivery, RelayOutcome, Verdict
from mailer.domain.governor import CHECK_INTERVAL, CounterKey, take_reportable_counts
from mailer.relay.lane import Lane
from mailer.relay.lane_scheduler import LaneScheduler
from mailer.relay.route import Route

_MAX_UNTRIED = 5
"""How many times in a row a letter may come back UNTRIED and go again at once, so that it does not block the others."""


@dataclass(slots=True)
class QueueState:
    """One worker's part of the queue. Other files read its fields; only its methods change them."""

    scheduler: LaneScheduler
    """Claimed deliveries of which no letter is rendered yet, by destination domain."""
    claimed: dict[int, Delivery] = field(default_factory=dict)
    """By id: claimed by this worker, and the gate was not asked yet."""
    handed: int = 0
    """Letters handed in this run."""
    unanswered: int = 0
    """Letters at the gate or past it whose outcome is not known yet."""
    letter_octets: int = 0
    """How large the last letters were, in octets; 0 before the first."""
    refill_threshold: int = 0
    """No deliveries are claimed while more than this many wait in the scheduler."""
    has_read_holds: bool = False
    """Whether the holds in the database were read once."""
    changed_lanes: list[Lane] = field(default_factory=list)
    """Lanes that closed or opened and are not recorded in the database yet."""
    wrongly_refused: dict[int, Delivery] = field(default_factory=dict)
    """By id: recorded as failed for a refusal that was not about them, to be queued again."""
    render_failures: list[RenderFailure] = field(default_factory=list)
    feeder_wakeup: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the queue feeder has work: few deliveries are left, a lane closed, or a connection ended."""
    renderer_wakeup: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when letters can be rendered: deliveries wait, or a route has room."""
    _refused: dict[int, tuple[Delivery, RelayOutcome]] = field(default_factory=dict)
    """By id: failed by a refusal that seems to be about the recipient."""
    _untried: Counter[int] = field(default_factory=Counter)
    """How often in a row each delivery came back UNTRIED, by id."""
    _governor_counts: Counter[CounterKey] = field(default_factory=Counter)
    """Outcomes of campaigns' letters that the governor does not know yet."""
    _governed_at: datetime | None = None

    def begin_run(self) -> None:
        """Reset the numbers of one run."""
        self.handed = self.unanswered = 0

    def take_over(self, predecessor: QueueState) -> None:
        """Continue with what a failed worker of this process learned and had not recorded."""
        self.wrongly_refused, self._refused = predecessor.wrongly_refused, predecessor._refused
        self._governor_counts = predecessor._governor_counts

    @property
    def has_open_deliveries(self) -> bool:
        """Whether a claimed delivery is not finished."""
        return bool(self.claimed or self.scheduler.in_flight)

    def add_claimed(self, deliveries: Sequence[Delivery]) -> None:
        """Queue deliveries that were just claimed in the database."""
        self.claimed.update((one.id, one) for one in deliveries)
        self.scheduler.put(deliveries)

    def remove_claimed(self, deliveries: Iterable[Delivery]) -> None:
        """Forget deliveries that were released in the database."""
        for one in deliveries:
            self.claimed.pop(one.id, None)

    def set_refill_threshold(self, deliveries: int) -> None:
        """Claim again once no more than this many deliveries wait in the scheduler."""
        self.refill_threshold = deliveries

    def take_to_render(self, limit: int) -> list[Delivery]:
        """Up to `limit` deliveries whose letters may be sent now."""
        batch = self.scheduler.take(limit) if limit else []
        if batch and self.scheduler.size <= self.refill_threshold:
            self.feeder_wakeup.set()
        return batch

    def put_back(self, delivery: Delivery) -> None:
        """Return a taken delivery to the scheduler: it has no letter, or its lane is closed."""
        self.scheduler.mark_finished(delivery)
        self.scheduler.put([delivery])
        self.feeder_wakeup.set()

    def recall(self, route: Route[RenderedLetter]) -> None:
        """Return the letters that are ready on a route to the scheduler, so that another route may send them."""
        letters = route.take_ready()
        for letter in letters:
            self.scheduler.mark_finished(letter.delivery)
        self.scheduler.put(letter.delivery for letter in letters)

    def add_render_failure(self, failure: RenderFailure) -> None:
        """Note a taken delivery whose letter cannot be rendered; the feeder records it."""
        self.scheduler.mark_finished(failure.delivery)
        self.render_failures.append(failure)
        self.feeder_wakeup.set()

    def take_render_failure(self) -> RenderFailure:
        """The last failure that was noted; its delivery is no longer claimed."""
        failure = self.render_failures.pop()
        self.claimed.pop(failure.delivery.id, None)
        return failure

    def begin_handoff(self, delivery: Delivery) -> None:
        """The gate is about to be asked: from here on the delivery may be handed."""
        del self.claimed[delivery.id]
        self.unanswered += 1

    def end_handoff(self, *, missed_gate: bool = False) -> None:
        """The outcome of a handed letter is known, or the gate did not let it pass."""
        self.unanswered -= 1
        if missed_gate:
            self.feeder_wakeup.set()

    def count_handed(self) -> None:
        """The gate let one more letter pass."""
        self.handed += 1

    def note_size(self, octets: int) -> None:
        """A letter of that size was rendered; smaller ones count little by little."""
        self.letter_octets = max(octets, self.letter_octets * 15 // 16)

    def mark_finished(self, delivery: Delivery, route: Route[RenderedLetter]) -> None:
        """A taken delivery is no longer in flight, whatever became of it."""
        self.scheduler.mark_finished(delivery)
        if self.scheduler.size and not route.ready:
            self.renderer_wakeup.set()
        if not self.has_open_deliveries:
            self.feeder_wakeup.set()

    def limit_untried(self, delivery: Delivery, outcome: RelayOutcome) -> RelayOutcome:
        """The outcome, or DEFERRED instead of an UNTRIED that came too often in a row for this delivery."""
        if outcome.verdict is not Verdict.UNTRIED:
            self._untried.pop(delivery.id, None)
            return outcome
        self._untried[delivery.id] += 1
        if self._untried[delivery.id] <= _MAX_UNTRIED:
            return outcome
        del self._untried[delivery.id]
        return replace(outcome, verdict=Verdict.DEFERRED)

    def add_changed_lane(self, lane: Lane) -> None:
        """Have the feeder record that a lane closed or opened."""
        self.changed_lanes.append(lane)

    def clear_changed_lanes(self) -> None:
        """All changes of lanes are recorded."""
        self.changed_lanes.clear()

    def mark_holds_read(self) -> None:
        """The holds in the database were read and applied."""
        self.has_read_holds = True

    def add_refused(self, delivery: Delivery, outcome: RelayOutcome) -> None:
        """Note a refusal that seems to be about the recipient."""
        self._refused[delivery.id] = delivery, outcome

    def add_wrongly_refused(self, delivery: Delivery) -> None:
        """A delivery that was recorded as failed was not refused for its recipient's sake."""
        self.wrongly_refused[delivery.id] = delivery
        self._refused.pop(delivery.id, None)
        self.count_for_governor(delivery, CounterKind.REFUSED, -1)

    def remove_wrongly_refused(self, ids: Iterable[int]) -> None:
        """Forget wrongly refused deliveries that are queued again."""
        for one in ids:
            self.wrongly_refused.pop(one, None)

    def take_settled_refusals(
        self, routes: Iterable[Route[RenderedLetter]], *, final: bool = False
    ) -> list[tuple[Delivery, RelayOutcome]]:
        """Refusals that are about the recipient: no lane suspects them any more, or the run is over (`final`).

        While a lane meets the same words for others, the refusal may be about us.
        """
        settled = []
        for delivery, _ in list(self._refused.values()):
            lanes = (self.scheduler.lane(delivery.domain), *(route.lane for route in routes))
            if final or not any(lane.is_suspect(delivery) for lane in lanes):
                settled.append(self._refused.pop(delivery.id))
        return settled

    def count_for_governor(self, delivery: Delivery, kind: CounterKind, number: int) -> None:
        """Count an outcome for the delivery's campaign, by provider and in all; notices are not governed."""
        if delivery.campaign_id != NOTICES:
            self._governor_counts[delivery.campaign_id, delivery.domain, kind] += number
            self._governor_counts[delivery.campaign_id, "", kind] += number

    def take_governor_counts(self, now: datetime, *, final: bool = False) -> dict[CounterKey, int] | None:
        """What the governor should know now; None while its last look is less than CHECK_INTERVAL ago."""
        is_due = self._governed_at is None or now - self._governed_at >= CHECK_INTERVAL
        if not is_due and not (final and self._governor_counts):
            return None
        self._governed_at = now
        return take_reportable_counts(self._governor_counts)
