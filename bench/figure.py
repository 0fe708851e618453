"""A figure: what was measured, its yardstick, and whether the figure is good enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One line of the table. `bar` and `aim` apply to the ratio if there is a yardstick, else to the value."""

    work: str
    value: float
    unit: str
    yardstick: str = ""
    its_value: float | None = None
    bar: float | None = None
    aim: float | None = None
    less_is_better: bool = False
    cpu_us: dict[str, float] = field(default_factory=dict)
    """CPU microseconds (user and system) per letter or delivery, by process."""
    note: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    """For programs: the raw values behind this figure."""

    @property
    def ratio(self) -> float | None:
        """The value divided by the yardstick's value; None without a yardstick."""
        return None if self.its_value is None else self.value / self.its_value

    @property
    def compared_value(self) -> float:
        """The number that bar and aim apply to."""
        return self.value if self.ratio is None else self.ratio

    @property
    def verdict(self) -> str:
        """ "met", "met, and the aim" or by how many percent of the bar it was missed; "" without a bar."""
        if self.bar is None:
            return ""
        short = (self.compared_value - self.bar) / self.bar * (1 if self.less_is_better else -1)
        if short > 0:
            return f"missed by {short * 100:.0f} %"
        if self.aim is None:
            return "met"
        reached = self.compared_value <= self.aim if self.less_is_better else self.compared_value >= self.aim
        return "met, and the aim" if reached else "met"


class MeasurementFailed(Exception):
    """The service or a tool of the bench misbehaved, so there is no figure."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A workload that was not measured, and why."""

    work: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """How many letters had been accepted at which second of a blast."""

    title: str
    points: list[tuple[float, int]]
    """(seconds since the launch, letters so far), in order."""
    yardstick: str
    its_rate: float


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
