"""Charts as coordinates: numbers become shapes that templates/console/charts.html.j2 draws as SVG. Pure functions.

A drawing is WIDTH units wide and is stretched to the width of the page, so it holds shapes and no words; words stand
beside it as HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH = 1000
"""The width of every drawing, in units."""
HEIGHT = 160
"""The height of charts over time, in units."""
_THINNEST = 4
"""A part of a bar that is not 0 is at least so wide: one refused letter of a million can be seen."""
_GAP_SHARE = 0.2
"""How much of a column's place stays empty."""
_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class BarPart:
    """One part of a stacked bar; `x` and `width` in units."""

    name: str
    number: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class StackedBar:
    """A whole as one bar of its parts, those of 0 left out."""

    total: int
    parts: tuple[BarPart, ...]


@dataclass(frozen=True, slots=True)
class ChartColumn:
    """One column of a series, standing on the base line; all but `value` in units."""

    value: float
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class ColumnChart:
    """Columns over time. Each place holds one column of every series, stacked in their order."""

    top: float
    """What the upper edge stands for: a round number, not below the highest stack."""
    series: dict[str, tuple[ChartColumn, ...]]

    @property
    def is_empty(self) -> bool:
        return not any(column.value for columns in self.series.values() for column in columns)


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines over time."""

    top: float
    """What the upper edge stands for: a round number, not below the highest value."""
    series: dict[str, str]
    """The `points` of a polyline for each series."""
    is_empty: bool


def stacked_bar(numbers: Mapping[str, int]) -> StackedBar:
    """One bar of these numbers, in their order. A bar of nothing has no parts."""
    shown = {name: number for name, number in numbers.items() if number > 0}
    total = sum(shown.values())
    widths = _widths(list(shown.values()), total)
    parts, x = [], 0.0
    for (name, number), width in zip(shown.items(), widths, strict=True):
        parts.append(BarPart(name, number, round(x, 1), round(width, 1)))
        x += width
    return StackedBar(total, tuple(parts))


def column_chart(series: Mapping[str, Sequence[float]]) -> ColumnChart:
    """A column for each value of each series; all series must be equally long."""
    rows = list(zip(*series.values(), strict=True))
    top = round_up(max((sum(row) for row in rows), default=0))
    place = WIDTH / max(len(rows), 1)
    drawn: dict[str, list[ChartColumn]] = {name: [] for name in series}
    for number, row in enumerate(rows):
        y = float(HEIGHT)
        for name, value in zip(series, row, strict=True):
            height = value / top * HEIGHT
            y -= height
            x, width = (number + _GAP_SHARE / 2) * place, place * (1 - _GAP_SHARE)
            drawn[name].append(ChartColumn(value, round(x, 1), round(y, 1), round(width, 1), round(height, 1)))
    return ColumnChart(top, {name: tuple(columns) for name, columns in drawn.items()})


def line_chart(series: Mapping[str, Sequence[float]]) -> LineChart:
    """A line through the values of each series, which must be equally long; a single value is a level line."""
    top = round_up(max((value for values in series.values() for value in values), default=0))
    drawn = {}
    for name, values in series.items():
        level = list(values) * 2 if len(values) == 1 else values
        step = WIDTH / max(len(level) - 1, 1)
        points = (f"{number * step:.4g},{HEIGHT - value / top * HEIGHT:.4g}" for number, value in enumerate(level))
        drawn[name] = " ".join(points)
    is_empty = not any(value for values in series.values() for value in values)
    return LineChart(top, drawn, is_empty)


def round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 ... that is not below the value; 1 for 0."""
    scale = 1
    while scale * _STEPS[-1] < value:
        scale *= 10
    return next(float(scale * step) for step in _STEPS if scale * step >= value)


def _widths(numbers: Sequence[int], total: int) -> list[float]:
    """Widths that fill the bar: at least _THINNEST each, the rest in proportion among the wider ones."""
    thin = {place for place, number in enumerate(numbers) if number * WIDTH < _THINNEST * total}
    wide = sum(number for place, number in enumerate(numbers) if place not in thin)
    room = WIDTH - _THINNEST * len(thin)
    return [float(_THINNEST) if place in thin else number / wide * room for place, number in enumerate(numbers)]
