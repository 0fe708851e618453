"""LaneScheduler: claimed deliveries, one queue for each destination domain, taken in turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from mailer.domain.delivery import Delivery
from mailer.relay.lane import Lane

DEFAULT_CONCURRENCY = 10_000
"""The most letters at once for a domain without a limit in the settings."""
_MAX_IDLE_LANES = 5_000
"""So many lanes are kept although they are in their first state."""


@dataclass(slots=True)
class _LaneQueue:
    lane: Lane
    waiting: deque[Delivery] = field(default_factory=deque)
    is_scheduled: bool = False


class LaneScheduler:
    """Lanes take turns, so that a slow domain delays only its own letters; a full or closed lane is skipped."""

    def __init__(self, max_in_flight: Callable[[str], int] = lambda _: DEFAULT_CONCURRENCY) -> None:
        """`max_in_flight` returns the most letters at once for a domain."""
        self._max_in_flight = max_in_flight
        self._queues: dict[str, _LaneQueue] = {}
        self._turns: deque[_LaneQueue] = deque()
        self.size = 0
        self.in_flight = 0
        """Deliveries that were taken and are not finished."""

    def lane(self, domain: str) -> Lane:
        """The lane of a domain; made when first asked for."""
        return self._queue(domain).lane

    def put(self, claimed: Iterable[Delivery]) -> None:
        """Append deliveries to the queues of their lanes."""
        if len(self._queues) > _MAX_IDLE_LANES:
            self._queues = {
                name: one for name, one in self._queues.items() if one.waiting or not one.lane.is_forgettable
            }
        for one in claimed:
            queue = self._queue(one.domain)
            queue.waiting.append(one)
            self.size += 1
            self._schedule(queue)

    def take(self, most: int) -> list[Delivery]:
        """Up to `most` deliveries that may be sent now, one lane after the other; in flight until `mark_finished`."""
        taken: list[Delivery] = []
        while self._turns and len(taken) < most:
            queue = self._turns.popleft()
            queue.is_scheduled = False
            if queue.waiting and not queue.lane.full():
                taken.append(queue.waiting.popleft())
                queue.lane.in_flight += 1
                self._schedule(queue)
        self.size -= len(taken)
        self.in_flight += len(taken)
        return taken

    def mark_finished(self, delivery: Delivery) -> None:
        """A taken delivery is no longer in flight, whatever became of it."""
        queue = self._queue(delivery.domain)
        queue.lane.in_flight -= 1
        self.in_flight -= 1
        self._schedule(queue)

    def remove_closed(self, now: datetime) -> list[Delivery]:
        """Remove and return the deliveries that wait in closed lanes."""
        return self._remove_where(lambda queue: queue.lane.closed(now))

    def remove_all(self) -> list[Delivery]:
        """Remove and return all deliveries that wait."""
        return self._remove_where(lambda _: True)

    def _remove_where(self, which: Callable[[_LaneQueue], bool]) -> list[Delivery]:
        removed: list[Delivery] = []
        for queue in self._queues.values():
            if queue.waiting and which(queue):
                removed += queue.waiting
                queue.waiting.clear()
        self.size -= len(removed)
        return removed

    def _schedule(self, queue: _LaneQueue) -> None:
        if not queue.is_scheduled and queue.waiting and not queue.lane.full():
            queue.is_scheduled = True
            self._turns.append(queue)

    def _queue(self, domain: str) -> _LaneQueue:
        queue = self._queues.get(domain)
        if queue is None:
            queue = self._queues[domain] = _LaneQueue(Lane(domain, self._max_in_flight(domain)))
        return queue
