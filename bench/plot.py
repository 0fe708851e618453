"""A plot of letters per second over time, as SVG."""

from __future__ import annotations

import math
from html import escape
from itertools import pairwise

from bench.figure import Curve

_WIDTH, _HEIGHT = 860, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 20, 56, 56
_COLOURS = ("#1b6ca8", "#c2571a", "#2e7d32", "#7b3fa0", "#b3261e")
_BUCKETS = 120
_MIN_BUCKET_S = 0.5
"""The rate of a shorter stretch would be noise."""


def plot(curves: list[Curve], title: str) -> str:
    """SVG of letters per second over seconds since the launch: a line for each blast, its yardstick dashed."""
    lines = [(curve, _rates(curve)) for curve in curves]
    far = max((point[0] for _, points in lines for point in points), default=1.0)
    high = max([rate for _, points in lines for _, rate in points] + [curve.its_rate for curve in curves] + [1.0])
    xs, ys = _ticks(far), _ticks(high)
    right, top = max(far, 1e-9), max(high * 1.05, ys[-1])

    def x(seconds: float) -> float:
        return _LEFT + seconds / right * (_WIDTH - _LEFT - _RIGHT)

    def y(rate: float) -> float:
        return _HEIGHT - _BOTTOM - rate / top * (_HEIGHT - _TOP - _BOTTOM)

    whole = _HEIGHT + 22 * (len(curves) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{whole}" viewBox="0 0 {_WIDTH} {whole}"',
        ' font-family="sans-serif" font-size="13" fill="#222">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        _text(_LEFT, 26, title, size=16),
        _text(_LEFT, 46, "letters a second", colour="#555"),
        _text(_WIDTH - _RIGHT, _HEIGHT - 14, "seconds since the launch", anchor="end", colour="#555"),
    ]
    for tick in ys:
        parts.append(_line(_LEFT, y(tick), _WIDTH - _RIGHT, y(tick), "#ddd"))
        parts.append(_text(_LEFT - 8, y(tick) + 4, f"{tick:,.0f}", anchor="end"))
    for tick in xs:
        parts.append(_line(x(tick), y(0), x(tick), y(0) + 5, "#555"))
        parts.append(_text(x(tick), y(0) + 20, f"{tick:g}", anchor="middle"))
    parts.append(_line(_LEFT, y(0), _WIDTH - _RIGHT, y(0), "#555"))
    for (curve, points), colour in zip(lines, _COLOURS * len(lines), strict=False):
        path = " ".join(f"{x(seconds):.1f},{y(rate):.1f}" for seconds, rate in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_legend(lines.index((curve, points)), colour, curve.title))
    mean = sum(curve.its_rate for curve in curves) / max(len(curves), 1)
    parts.append(_line(_LEFT, y(mean), _WIDTH - _RIGHT, y(mean), "#222", dashes=True))
    name = curves[0].yardstick if curves else ""
    parts.append(_legend(len(curves), "#222", f"{name}, the yardstick of the same run: {mean:,.0f}", dashes=True))
    return "\n".join([*parts, "</svg>\n"])


def _rates(curve: Curve) -> list[tuple[float, float]]:
    """(middle of a stretch in seconds, letters per second in it)."""
    whole = curve.points[-1][0]
    shortest = max(_MIN_BUCKET_S, whole / _BUCKETS)
    kept = [curve.points[0]]
    for point in curve.points[1:]:
        if point[0] - kept[-1][0] >= shortest:
            kept.append(point)
    # The last stretch, too short for a rate of its own, belongs to the one before it.
    kept[max(1, len(kept) - 1) :] = [curve.points[-1]]
    return [((a[0] + b[0]) / 2, (b[1] - a[1]) / max(b[0] - a[0], 1e-9)) for a, b in pairwise(kept)]


def _ticks(most: float) -> list[float]:
    """A few round numbers from 0 to at most `most`."""
    rough = most / 6
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    return [step * number for number in range(int(most / step) + 1)]


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dashes: bool = False) -> str:
    dashed = ' stroke-width="1.5" stroke-dasharray="6 4"' if dashes else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashed}/>'


def _text(x: float, y: float, label: str, *, anchor: str = "start", size: int = 13, colour: str = "#222") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"'
    return f"<text {place}>{escape(label)}</text>"


def _legend(number: int, colour: str, label: str, dashes: bool = False) -> str:
    y = _HEIGHT + 8 + 22 * number
    width = "" if dashes else ' stroke-width="3"'
    line = _line(_LEFT, y, _LEFT + 28, y, colour, dashes).replace("/>", f"{width}/>")
    return line + _text(_LEFT + 38, y + 4, label)
