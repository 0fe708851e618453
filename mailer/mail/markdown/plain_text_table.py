"""Tables of plain text: aligned columns where they fit, and else one row below the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailer.mail.compose.merge_field import merged_display_width
from mailer.mail.markdown import line_breaking

_BETWEEN = " | "


def render_table(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """The lines of a table whose first row is its head, each cell text on one line.

    If a row is wider than `width` columns, each cell stands on a line of its own, behind the head of its column.
    """
    head, *body = ([" ".join(cell.split()) for cell in row] for row in rows)
    widths = [max(map(merged_display_width, column)) for column in zip(head, *body, strict=True)]
    if (whole := sum(widths) + len(_BETWEEN) * (len(widths) - 1)) <= width:
        return [_align(head, widths), "-" * whole, *(_align(row, widths) for row in body)]
    lines = [line for row in body for line in ("", *_stack(head, row, width))]
    return lines[1:] or [line for cell in head for line in _wrap(cell, width)]


def _align(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - merged_display_width(cell)) for cell, width in zip(row, widths, strict=True))
    return _BETWEEN.join(padded).rstrip()


def _stack(head: Sequence[str], row: Sequence[str], width: int) -> Iterator[str]:
    for name, cell in zip(head, row, strict=True):
        if cell:
            yield from _wrap(f"{name}: {cell}" if name else cell, width)


def _wrap(text: str, width: int) -> list[str]:
    return line_breaking.wrap(text, width, merged_display_width).split("\n")
