"""A figure: what was measured, what it is held against, and whether that is enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One line of the table. Bar and aim are of the ratio where there is a yardstick, else of the value itself."""

    work: str
    value: float
    unit: str
    yardstick: str = ""
    its_value: float | None = None
    bar: float | None = None
    aim: float | None = None
    less_is_better: bool = False
    cpu_us: dict[str, float] = field(default_factory=dict)
    """CPU microseconds (user and system) a letter or delivery, by who spent them."""
    note: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    """For programs: what the value was made from."""

    @property
    def ratio(self) -> float | None:
        """The value in yardsticks."""
        return None if self.its_value is None else self.value / self.its_value

    @property
    def compared_value(self) -> float:
        """What bar and aim are held against."""
        return self.value if self.ratio is None else self.ratio

    @property
    def verdict(self) -> str:
        """Met, or missed by how much of the bar; nothing where there is no bar."""
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
    """The service, or what we measure it with, did not do what it should: there is no figure."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A work that was not measured, and why."""

    work: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """How a blast went: when how many letters had been accepted."""

    title: str
    points: list[tuple[float, int]]
    """(seconds since the launch, letters so far), in order."""
    yardstick: str
    its_rate: float


def percentile(values: list[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
