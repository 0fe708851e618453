"""What a worker knows of its own, and what a letter was written with: the model that the queue is held against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mailer.domain.delivery import Delivery
from mailer.store.queue.gate import Wanted


@dataclass
class Worker:
    """A worker's memory."""

    id: int
    tray: dict[int, Delivery] = field(default_factory=dict)
    handed: dict[int, Delivery] = field(default_factory=dict)
    open: dict[int, set[int]] = field(default_factory=dict)
    """What has not come back of each claim that the ledger was not told to forget."""
    dropped: set[int] = field(default_factory=set)
    """Claims that others found empty and made the ledger forget."""

    @property
    def open_claims(self) -> set[int]:
        """Its claims that the ledger knows."""
        return set(self.open) - self.dropped

    def took(self, those: Iterable[Delivery]) -> None:
        """They were claimed."""
        for one in those:
            self.tray[one.id] = one
            self.open.setdefault(one.claim_id, set()).add(one.id)

    def from_tray(self, most: int) -> list[Delivery]:
        """The next to be handed or given back."""
        return [self.tray.pop(number) for number in sorted(self.tray)[:most]]

    def answered(self, most: int) -> list[Delivery]:
        """The next of which the relay speaks."""
        return [self.handed.pop(number) for number in sorted(self.handed)[:most]]

    def came_back(self, those: Iterable[Delivery]) -> None:
        """Nothing is open of these any more; their claims are closed with the next turn."""
        for one in those:
            self.open[one.claim_id].discard(one.id)

    def come_back(self, those: Iterable[Delivery]) -> list[int]:
        """As `came_back`, and the claims that are to be closed in this turn."""
        self.came_back(those)
        done = [number for number, left in self.open.items() if not left]
        for number in done:
            del self.open[number]
        return done


@dataclass(frozen=True)
class Sent:
    """What the gate was asked with when a letter passed."""

    dated_at: Any
    revision_id: int | None
    language: str | None
    values: Any


def sent(one: Wanted) -> Sent:
    """What a letter's repeat must be the same in."""
    return Sent(one.dated_at, one.revision_id, one.language, one.values)
