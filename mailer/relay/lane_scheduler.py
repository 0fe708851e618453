"""The tray: claimed deliveries, a queue for each lane, of which the next one goes that may."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from mailer.domain.delivery import Delivery
from mailer.relay.lane import Lane

EASY = 10_000
"""Letters at once for a lane of which nothing is said."""
_MOST_LANES = 5_000
"""Lanes that are remembered although nothing is the matter with them."""


@dataclass(slots=True)
class _Queue:
    lane: Lane
    waiting: deque[Delivery] = field(default_factory=deque)
    in_turn: bool = False


class Tray:
    """Lanes take turns, so that none keeps the others waiting; one that is full is passed over."""

    def __init__(self, most_flying: Callable[[str], int] = lambda _: EASY) -> None:
        """`most_flying` says how many letters a domain may get at once."""
        self._most_flying = most_flying
        self._queues: dict[str, _Queue] = {}
        self._turns: deque[_Queue] = deque()
        self.size = 0
        self.flying = 0
        """Taken, and not landed yet."""

    def lane(self, domain: str) -> Lane:
        """The lane to a domain."""
        return self._queue(domain).lane

    def put(self, claimed: Iterable[Delivery]) -> None:
        """Lay deliveries into their lanes."""
        if len(self._queues) > _MOST_LANES:
            self._queues = {name: one for name, one in self._queues.items() if one.waiting or not one.lane.unremarkable}
        for one in claimed:
            queue = self._queue(one.domain)
            queue.waiting.append(one)
            self.size += 1
            self._give_turn(queue)

    def take(self, most: int) -> list[Delivery]:
        """Up to `most` deliveries that may go now, a lane after the other; each is flying until it `landed`."""
        taken: list[Delivery] = []
        while self._turns and len(taken) < most:
            queue = self._turns.popleft()
            queue.in_turn = False
            if queue.waiting and not queue.lane.full():
                taken.append(queue.waiting.popleft())
                queue.lane.flying += 1
                self._give_turn(queue)
        self.size -= len(taken)
        self.flying += len(taken)
        return taken

    def landed(self, delivery: Delivery) -> None:
        """A taken delivery is no longer on its way, whatever became of it."""
        queue = self._queue(delivery.domain)
        queue.lane.flying -= 1
        self.flying -= 1
        self._give_turn(queue)

    def clear(self, now: datetime) -> list[Delivery]:
        """Take out what waits in lanes that are closed."""
        return self._take_out(lambda queue: queue.lane.closed(now))

    def empty(self) -> list[Delivery]:
        """Take out everything."""
        return self._take_out(lambda _: True)

    def _take_out(self, which: Callable[[_Queue], bool]) -> list[Delivery]:
        removed: list[Delivery] = []
        for queue in self._queues.values():
            if queue.waiting and which(queue):
                removed += queue.waiting
                queue.waiting.clear()
        self.size -= len(removed)
        return removed

    def _give_turn(self, queue: _Queue) -> None:
        if not queue.in_turn and queue.waiting and not queue.lane.full():
            queue.in_turn = True
            self._turns.append(queue)

    def _queue(self, domain: str) -> _Queue:
        queue = self._queues.get(domain)
        if queue is None:
            queue = self._queues[domain] = _Queue(Lane(domain, self._most_flying(domain)))
        return queue
