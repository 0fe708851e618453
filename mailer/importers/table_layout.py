"""Detect the layout of a table of people: its separator, its heading line and its columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mailer.errors import TableRefused
from mailer.importers.column_words import column_for_heading, is_flag, normalize_heading
from mailer.importers.person_cells import find_address
from mailer.importers.person_row import PERSON_COLUMNS, STATE_COLUMNS
from mailer.importers.table_columns import Column, find_ignored_headings, parse_columns, refuse_state_columns
from mailer.importers.table_records import read_records

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SEP_LINE = re.compile(r'\ufeff?"?sep=(.)"?[;,\t]*\s*', re.IGNORECASE)
_HEADING_WITHIN, _SAMPLE_ROWS = 5, 30
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _LayoutCandidate:
    """The table as it looks with one of the possible separators."""

    delimiter: str
    rows: list[tuple[int, list[str]]]
    heading: int | None
    """The index of the row that names the columns."""
    email: int
    """The index of the column that holds the addresses."""

    @property
    def cells(self) -> list[str]:
        return self.rows[self.heading][1] if self.heading is not None else []

    def addresses(self, since: int = 0) -> int:
        """How many rows, from index `since` on, have an address in the address column."""
        return sum(
            len(cells) > self.email and find_address(cells[self.email]) is not None for _, cells in self.rows[since:]
        )

    def has_clear_address_column(self, first: int) -> bool:
        """Whether half of the rows from index `first` on have an address where the candidate says."""
        above = self.cells[self.email] if self.heading is not None else ""
        other = column_for_heading(above) or any(separator in above for separator in _SEPARATORS)
        return not other and 2 * self.addresses(first) >= len(self.rows) - first

    @property
    def score(self) -> tuple[float, ...]:
        """How much it looks like a table of people; the largest tuple is the best candidate."""
        known = sum(column_for_heading(cell) is not None for cell in self.cells)
        below = self.rows[(self.heading or 0) + 1 :] if self.heading is not None else self.rows
        width = len(self.cells or self.rows[0][1])
        alike = sum(len(cells) == width for _, cells in below) / (len(below) or 1)
        return (self.heading is not None, known, alike if width > 1 else 0, width)


def detect_layout(lines: Sequence[str], ignored: Collection[str] = ()) -> TableLayout:
    """Detect the layout of a table that begins with these lines.

    Raises TableRefused where no column holds addresses, and for columns that may say who unsubscribed, unless their
    headings are in `ignored`.
    """
    declared = next((sep[1] for line in lines[:3] if (sep := _SEP_LINE.fullmatch(line))), None)
    candidates = [found for one in ([declared] if declared else _SEPARATORS) if (found := _try_delimiter(lines, one))]
    headed = [one for one in candidates if one.heading is not None]
    if headed:
        return _layout_with_heading(max(headed, key=lambda one: one.score), ignored, bool(declared))
    if ignored:
        raise TableRefused(f"no line names the columns, so there is none called {', '.join(ignored)}")
    return _layout_without_heading(lines, candidates)


def _try_delimiter(lines: Sequence[str], delimiter: str) -> _LayoutCandidate | None:
    """The candidate with this separator; None where no column holds addresses."""
    rows = [
        (number, cells)
        for number, cells in read_records((line.removeprefix("\ufeff") for line in lines), delimiter)
        if not isinstance(cells, str) and not _SEP_LINE.fullmatch(delimiter.join(cells))
    ][:_SAMPLE_ROWS]
    for at, (_, cells) in enumerate(rows[:_HEADING_WITHIN]):
        addresses = [column for column, cell in enumerate(cells) if find_address(cell)]
        if addresses:
            above = at - 1 if at and len(rows[at - 1][1]) == len(cells) else None
            found = _LayoutCandidate(delimiter=delimiter, rows=rows, heading=above, email=addresses[0])
            return found if found.has_clear_address_column(at) else None
        if (email := _email_column(cells, rows[at + 1 :])) is not None:
            return _LayoutCandidate(delimiter=delimiter, rows=rows, heading=at, email=email)
    return None


def _email_column(heading: list[str], below: list[tuple[int, list[str]]]) -> int | None:
    """The index of the address column: a known heading wins over one that has "mail" in it and addresses below."""
    found = []
    for column, cell in enumerate(heading):
        full = sum(column < len(cells) and find_address(cells[column]) is not None for _, cells in below)
        known = column_for_heading(cell) == "email"
        if known or ("mail" in normalize_heading(cell) and full):
            found.append((known and (full > 0 or not below), known, normalize_heading(cell) == "email", full, -column))
    return -max(found)[-1] if found else None


def _layout_with_heading(
    candidate: _LayoutCandidate, ignored: Collection[str], separator_declared: bool
) -> TableLayout:
    cells = [cell.strip() for cell in candidate.cells]
    while cells and not cells[-1]:
        cells.pop()
    own_export = {*PERSON_COLUMNS, STATE_COLUMNS[0]} <= set(cells)
    columns = parse_columns(cells, candidate.email, find_ignored_headings(cells, ignored), own_export=own_export)
    if not own_export:
        refuse_state_columns([one for one in columns if one.meaning is None and one.heading and not one.ignored])
    guessed = (
        []
        if separator_declared or candidate.delimiter == ","
        else [f"separated by {_SEPARATORS.get(candidate.delimiter)}"]
    )
    for one in columns:
        if one.meaning and one.meaning != normalize_heading(one.heading).replace(" ", "_"):
            guessed.append(f"column {one.heading!r} is read as {one.meaning}")
        elif one.attribute and one.attribute != normalize_heading(one.heading).replace(" ", "_"):
            guessed.append(f"column {one.heading!r} is kept as {one.attribute}")
    return TableLayout(
        delimiter=candidate.delimiter,
        heading_ends_at=candidate.rows[candidate.heading or 0][0],
        columns=tuple(columns),
        own_export=own_export,
        guessed=tuple(guessed),
    )


def _layout_without_heading(lines: Sequence[str], candidates: list[_LayoutCandidate]) -> TableLayout:
    """The layout of a list of addresses, each alone, with a name in the other column, or as `Name <address>`.

    Raises TableRefused where it holds anything else, since nothing says what that means.
    """
    if not candidates:
        first = next((line.strip() for line in lines if line.strip()), "")
        shown = first if len(first) < _MAX_SHOWN else first[:_MAX_SHOWN] + "..."
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
    email = Column(heading="", meaning="email", attribute=None, ignored=False)
    guess = "no heading: each line is read as an address, or Name <address>"
    return _list_layout(None, candidates[0].rows[0][0] - 1, (email,), guess)


def _list_layout(delimiter: str | None, heading_ends_at: int, columns: tuple[Column, ...], guess: str) -> TableLayout:
    return TableLayout(
        delimiter=delimiter, heading_ends_at=heading_ends_at, columns=columns, own_export=False, guessed=(guess,)
    )
