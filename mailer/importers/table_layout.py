"""Detect the layout of a table of people: its separator, its heading line and its columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from mailer.errors import TableRefused
from mailer.importers.column_words import is_flag
from mailer.importers.person_row import PERSON_COLUMNS, STATE_COLUMNS
from mailer.importers.table_candidates import SEPARATORS, TableCandidate, find_candidates
from mailer.importers.table_columns import (
    Column,
    describe_columns,
    find_headings,
    parse_columns,
    refuse_duplicates,
    refuse_state_columns,
)

_MAX_SHOWN = 40
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, kw_only=True, slots=True)
class TableLayout:
    """How the lines of a table are to be read."""

    delimiter: str | None
    """The separator of cells; None where each line is one cell: an address, or `Name <address>`."""
    heading_ends_at: int
    """The number of the heading's last line; 0 where there is no heading."""
    columns: tuple[Column, ...]
    own_export: bool
    """Whether it is an export of ours of everybody, with state columns."""
    guessed: tuple[str, ...]
    """What was guessed, as texts for people."""


ColumnsOf = Callable[[TableCandidate], Sequence[Column]]


def detect_layout(lines: Sequence[str], ignored: Collection[str] = ()) -> TableLayout:
    """Detect the layout of a table that begins with these lines.

    Raises TableRefused where no column holds addresses, and for columns that may say who unsubscribed, unless their
    headings are in `ignored`.
    """

    def columns_of(candidate: TableCandidate) -> Sequence[Column]:
        headings = candidate.headings
        own_export = is_own_export(headings)
        refuse_duplicates(headings, own_export=own_export)
        skipped = find_headings(headings, ignored)
        columns = parse_columns(headings, candidate.email, skipped, own_export=own_export)
        if not own_export:
            refuse_state_columns([one for one in columns if one.meaning is None and one.heading and not one.ignored])
        return columns

    candidates, declared = find_candidates(lines)
    first = next((line.strip() for line in lines if line.strip()), "")
    return layout_of_candidates(candidates, columns_of, first_line=first, named=ignored, separator_declared=declared)


def is_own_export(headings: Collection[str]) -> bool:
    """Whether these are the columns of an export of ours of everybody."""
    return {*PERSON_COLUMNS, STATE_COLUMNS[0]} <= set(headings)


def layout_of_candidates(
    candidates: Sequence[TableCandidate],
    columns_of: ColumnsOf,
    *,
    first_line: str,
    named: Collection[str] = (),
    separator_declared: bool = False,
) -> TableLayout:
    """The layout of the likeliest candidate; `columns_of` says what its columns mean.

    Raises TableRefused where there is none, and where no line names the columns in `named`.
    """
    headed = [one for one in candidates if one.heading is not None]
    if headed:
        best = max(headed, key=lambda one: one.score)
        columns = columns_of(best)
        separator_known = separator_declared or best.delimiter in {"", ","}
        guessed = [] if separator_known else [f"separated by {SEPARATORS.get(best.delimiter)}"]
        return TableLayout(
            delimiter=best.delimiter,
            heading_ends_at=best.rows[best.heading or 0][0],
            columns=tuple(columns),
            own_export=is_own_export(best.headings) and not any(one.named for one in columns),
            guessed=(*guessed, *describe_columns(columns)),
        )
    if named:
        raise TableRefused(f"no line names the columns, so there is none called {', '.join(named)}")
    return _layout_without_heading(first_line, candidates)


def _layout_without_heading(first_line: str, candidates: Sequence[TableCandidate]) -> TableLayout:
    """The layout of a list of addresses, each alone, with a name in the other column, or as `Name <address>`.

    Raises TableRefused where it holds anything else, since nothing says what that means.
    """
    if not candidates:
        shown = first_line if len(first_line) < _MAX_SHOWN else first_line[:_MAX_SHOWN] + "..."
        raise TableRefused(
            f"no column holds addresses: the first line must name the columns, one email; it is {shown!r}"
        )
    for one in candidates:
        widths = {len(cells) for _, cells in one.rows}
        if len(widths) > 1 or widths == {1} or one.addresses() < len(one.rows):
            continue
        beside = [cells[1 - one.email] for _, cells in one.rows] if widths == {2} else ["0"]
        if any(cell.strip() and (not _LETTER.search(cell) or is_flag(cell)) for cell in beside):
            raise TableRefused("the first line must name the columns, one of them email: what stands there is a person")
        if not any("<" in cells[one.email] for _, cells in one.rows):
            email, name = (
                Column(heading="", meaning=means, attribute=None, ignored=False) for means in ("email", "name")
            )
            columns = (email, name) if one.email == 0 else (name, email)
            guess = f"no heading: column {one.email + 1} is read as email, the other as name"
            return _list_layout(one.delimiter, one.rows[0][0] - 1, columns, guess)
    first = candidates[0]
    if not first.delimiter and any(len(cells) > 1 for _, cells in first.rows):
        raise TableRefused("the first row must name the columns, one of them email")
    email = Column(heading="", meaning="email", attribute=None, ignored=False)
    guess = "no heading: each line is read as an address, or Name <address>"
    return _list_layout(None, first.rows[0][0] - 1, (email,), guess)


def _list_layout(delimiter: str | None, heading_ends_at: int, columns: tuple[Column, ...], guess: str) -> TableLayout:
    return TableLayout(
        delimiter=delimiter, heading_ends_at=heading_ends_at, columns=columns, own_export=False, guessed=(guess,)
    )
