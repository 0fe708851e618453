"""What a worker knows of its own, and what a letter was written with: the model that the queue is held against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mailer.domain.delivery import Delivery
from mailer.store.queue.gate import HandoffRequest


@dataclass
class WorkerModel:
    """A worker's memory."""

    id: int
    queued: dict[int, Delivery] = field(default_factory=dict)
    handed: dict[int, Delivery] = field(default_factory=dict)
    outstanding: dict[int, set[int]] = field(default_factory=dict)
    """What has not come back of each claim that the ledger was not told to forget."""
    dropped: set[int] = field(default_factory=set)
    """Claims that others found empty and made the ledger forget."""

    @property
    def open_claims(self) -> set[int]:
        """Its claims that the ledger knows."""
        return set(self.outstanding) - self.dropped

    def add_claimed(self, those: Iterable[Delivery]) -> None:
        """They were claimed."""
        for one in those:
            self.queued[one.id] = one
            self.outstanding.setdefault(one.claim_id, set()).add(one.id)

    def pop_queued(self, most: int) -> list[Delivery]:
        """The next to be handed or given back."""
        return [self.queued.pop(number) for number in sorted(self.queued)[:most]]

    def pop_handed(self, most: int) -> list[Delivery]:
        """The next of which the relay speaks."""
        return [self.handed.pop(number) for number in sorted(self.handed)[:most]]

    def release(self, those: Iterable[Delivery]) -> None:
        """Nothing is open of these any more; their claims are closed with the next turn."""
        for one in those:
            self.outstanding[one.claim_id].discard(one.id)

    def release_and_close(self, those: Iterable[Delivery]) -> list[int]:
        """As `came_back`, and the claims that are to be closed in this turn."""
        self.release(those)
        done = [number for number, left in self.outstanding.items() if not left]
        for number in done:
            del self.outstanding[number]
        return done


@dataclass(frozen=True)
class LetterFields:
    """What the gate was asked with when a letter passed."""

    dated_at: Any
    revision_id: int | None
    language: str | None
    values: Any


def letter_fields(one: HandoffRequest) -> LetterFields:
    """What a letter's repeat must be the same in."""
    return LetterFields(one.dated_at, one.revision_id, one.language, one.values)
