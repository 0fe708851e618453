"""WritePace: how much an import writes at once, and how long it lets others write, so that nobody waits for it."""

from __future__ import annotations

from dataclasses import dataclass

_GENTLE_S, _QUICK_S = 0.012, 0.15
"""For how long a transaction holds the write lock while others write, and while nobody does."""
_CALM_S = 1.0
"""For how long nobody else must have written until an import is quick."""
_QUICK_GAP_S, _GENTLE_GAPS = 0.002, 3
"""How long others may write after a transaction: while nobody did, and else in times of how long the lock was held."""
_LEAST_GENTLE, _LEAST_QUICK, _MOST = 100, 1_000, 2_000
"""People in a transaction. With fewer, all time would go into waiting for the disk at each commit."""


@dataclass(slots=True)
class WritePace:
    """The pace of one import on a database with one writer."""

    people: int = _LEAST_GENTLE
    """How many people the next transaction writes."""
    gap_s: float = 0.0
    """How long to wait before it."""
    is_quick: bool = False
    _calm_s: float = 0.0

    def adapt(self, people: int, held_s: float, elapsed_s: float, *, others_wrote: bool) -> None:
        """Learn from a transaction: it wrote `people` and held the lock; `elapsed_s` have passed since the last one."""
        self._calm_s = 0.0 if others_wrote else self._calm_s + elapsed_s
        self.is_quick = self._calm_s >= _CALM_S
        aim = _QUICK_S if self.is_quick else _GENTLE_S
        likely = people * aim / max(held_s, 0.0005)
        # Grows slowly, since one transaction says little, and shrinks at once.
        least = _LEAST_QUICK if self.is_quick else _LEAST_GENTLE
        self.people = round(max(min(likely, people * 1.5, _MOST), least))
        # Who waits on SQLite looks again now and then, and ever later: most of these looks must find nobody writing.
        self.gap_s = _QUICK_GAP_S if self.is_quick else _GENTLE_GAPS * held_s
