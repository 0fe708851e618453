"""The results of a run: a Markdown table, JSON and a plot."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Curve, Figure, Skipped
from bench.machine import Machine
from bench.plot import plot

_HEADINGS = ("work", "measured", "yardstick", "ratio", "at least", "aim", "")


def format_figure(figure: Figure) -> str:
    """A figure as one line for the terminal."""
    parts = [f"{figure.work}: {_format_number(figure.value)} {figure.unit}"]
    if figure.ratio is not None:
        parts.append(f"{figure.ratio:.2f} x {figure.yardstick} ({_format_number(figure.its_value or 0)})")
    if figure.bar is not None:
        parts.append(
            f"{_bound_word(figure)} {_format_limit(figure, figure.bar)}, aim {_format_limit(figure, figure.aim)}"
        )
    parts += [figure.verdict, _format_cpu(figure), figure.note]
    return "; ".join(word for word in parts if word)


def write_results(
    folder: Path, machine: Machine, figures: list[Figure], skipped: list[Skipped], curves: list[Curve]
) -> None:
    """Write latest.md, latest.json and, if there was a blast, rate.svg into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    at = datetime.now(UTC).replace(microsecond=0)
    (folder / "latest.md").write_text(_markdown(at, machine, figures, skipped, curves))
    found = {
        "at": at.isoformat(),
        "machine": asdict(machine),
        "figures": [asdict(one) | {"ratio": one.ratio, "verdict": one.verdict} for one in figures],
        "skipped": [asdict(one) for one in skipped],
        "curves": [asdict(one) for one in curves],
    }
    (folder / "latest.json").write_text(json.dumps(found, indent=1) + "\n")
    if curves:
        (folder / "rate.svg").write_text(plot(curves, "How fast letters left, over the blast"))


def _markdown(
    at: datetime, machine: Machine, figures: list[Figure], skipped: list[Skipped], curves: list[Curve]
) -> str:
    lines = [f"# Measured {at:%Y-%m-%d %H:%M} UTC", ""]
    lines += [f"- {what}: {much}" for what, much in machine.described()]
    lines += ["", f"| {' | '.join(_HEADINGS)} |", f"|{'---|' * len(_HEADINGS)}"]
    lines += [f"| {' | '.join(_table_row(figure))} |" for figure in figures]
    if spent := [figure for figure in figures if figure.cpu_us]:
        lines += ["", "CPU time (user and system) and remarks:", ""]
        lines += [f"- {one.work}: {_format_cpu(one)}" + (f"; {one.note}" if one.note else "") for one in spent]
    if noted := [figure for figure in figures if figure.note and not figure.cpu_us]:
        lines += ["", "Remarks:", ""]
        lines += [f"- {one.work}: {one.note}" for one in noted]
    if skipped:
        lines += ["", "Not measured:", ""]
        lines += [f"- {one.work}: {one.why}" for one in skipped]
    if curves:
        lines += ["", "![Letters a second over the blast](rate.svg)"]
    return "\n".join(lines) + "\n"


def _table_row(figure: Figure) -> tuple[str, ...]:
    yardstick = "" if figure.its_value is None else f"{figure.yardstick}, {_format_number(figure.its_value)}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    bounds = (_format_limit(figure, figure.bar), _format_limit(figure, figure.aim))
    return (figure.work, f"{_format_number(figure.value)} {figure.unit}", yardstick, ratio, *bounds, figure.verdict)


def _bound_word(figure: Figure) -> str:
    return "at most" if figure.less_is_better else "at least"


def _format_limit(figure: Figure, limit: float | None) -> str:
    if limit is None:
        return "-"
    sign = "< " if figure.less_is_better else ""
    return f"{sign}{limit:g} x" if figure.ratio is not None else f"{sign}{limit:,.0f} {figure.unit}"


def _format_cpu(figure: Figure) -> str:
    if not figure.cpu_us:
        return ""
    return "CPU µs each: " + ", ".join(f"{who} {much:.0f}" for who, much in figure.cpu_us.items())


def _format_number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
