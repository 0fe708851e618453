"""Find the heading and the address column of a table, for each separator that it may have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from mailer.importers.address_cell import find_address
from mailer.importers.column_words import column_for_heading, normalize_heading
from mailer.importers.table_columns import joined_heading, may_say_state
from mailer.importers.table_records import read_records

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SEP_LINE = re.compile(r'\ufeff?"?sep=(.)"?[;,\t]*\s*', re.IGNORECASE)
_HEADING_WITHIN, _SAMPLE_ROWS = 5, 30


@dataclass(frozen=True, kw_only=True, slots=True)
class TableCandidate:
    """A table as it looks with one of the possible separators."""

    delimiter: str
    """The separator; "" where the cells are known without one."""
    rows: list[tuple[int, list[str]]]
    """The first rows, each with its number."""
    heading: int | None
    """The index of the row that names the columns."""
    email: int
    """The index of the column that holds the addresses."""

    @property
    def headings(self) -> list[str]:
        """The cells of the heading, without empty ones at the end."""
        cells = [cell.strip() for cell in self.rows[self.heading][1]] if self.heading is not None else []
        while cells and not cells[-1]:
            cells.pop()
        return cells

    @property
    def below(self) -> list[tuple[int, list[str]]]:
        """The rows below the heading."""
        return self.rows[(self.heading or 0) + 1 :] if self.heading is not None else self.rows

    def addresses(self, since: int = 0) -> int:
        """How many rows, from index `since` on, have an address in the address column."""
        return sum(
            len(cells) > self.email and find_address(cells[self.email]) is not None for _, cells in self.rows[since:]
        )

    def has_clear_address_column(self, first: int) -> bool:
        """Whether half of the rows from index `first` on have an address where the candidate says."""
        above = self.rows[self.heading][1][self.email] if self.heading is not None else ""
        other = column_for_heading(above) or any(separator in above for separator in SEPARATORS)
        return not other and 2 * self.addresses(first) >= len(self.rows) - first

    @property
    def score(self) -> tuple[float, ...]:
        """How much it looks like a table of people; the largest tuple is the best candidate."""
        cells = self.rows[self.heading or 0][1]
        known = sum(column_for_heading(cell) is not None for cell in self.headings)
        alike = sum(len(below) == len(cells) for _, below in self.below) / (len(self.below) or 1)
        return (self.heading is not None, known, alike if len(cells) > 1 else 0, len(cells))


def find_candidates(lines: Sequence[str], email_heading: str | None = None) -> tuple[list[TableCandidate], bool]:
    """The candidates for the lines' separator, and whether a line `sep=;` says what it is.

    With `email_heading` only tables whose addresses stand below it.
    """
    declared = next((sep[1] for line in lines[:3] if (sep := _SEP_LINE.fullmatch(line))), None)
    separators = [declared] if declared else SEPARATORS
    found = [one for separator in separators if (one := _try_delimiter(lines, separator, email_heading))]
    return found, declared is not None


def _try_delimiter(lines: Sequence[str], delimiter: str, email_heading: str | None) -> TableCandidate | None:
    records = read_records((line.removeprefix("\ufeff") for line in lines), delimiter)
    rows = (
        (number, cells)
        for number, cells in records
        if not isinstance(cells, str) and not _SEP_LINE.fullmatch(delimiter.join(cells))
    )
    return candidate_of_rows(rows, delimiter, email_heading)


def candidate_of_rows(
    rows: Iterable[tuple[int, list[str]]], delimiter: str = "", email_heading: str | None = None
) -> TableCandidate | None:
    """The table of these first rows; None where no column holds addresses."""
    rows = list(rows)[:_SAMPLE_ROWS]
    for at, (_, cells) in enumerate(rows[:_HEADING_WITHIN]):
        if email_heading is not None:
            named = [
                column for column, cell in enumerate(cells) if joined_heading(cell) == joined_heading(email_heading)
            ]
            if named:
                return _with_second_line(TableCandidate(delimiter=delimiter, rows=rows, heading=at, email=named[0]), at)
            continue
        addresses = [column for column, cell in enumerate(cells) if find_address(cell)]
        if addresses:
            above = at - 1 if at and len(rows[at - 1][1]) == len(cells) else None
            found = TableCandidate(delimiter=delimiter, rows=rows, heading=above, email=addresses[0])
            return found if found.has_clear_address_column(at) else None
        if (email := _email_column(cells, rows[at + 1 :])) is not None:
            return _with_second_line(TableCandidate(delimiter=delimiter, rows=rows, heading=at, email=email), at)
    return None


def _with_second_line(found: TableCandidate, at: int) -> TableCandidate:
    """The table with one heading instead of two lines of it, of which the first has cells that span several columns."""
    if at + 1 >= len(found.rows):
        return found
    (_, first), (number, second) = found.rows[at], found.rows[at + 1]
    first = [*first, *[""] * (len(second) - len(first))]
    fills_gaps = any(below.strip() and not above.strip() for above, below in zip(first, second, strict=False))
    email_below = second[found.email].strip() if found.email < len(second) else ""
    if not fills_gaps or email_below or len(found.rows) == at + 2 or any("@" in cell for cell in second):
        return found
    headings, spanning = [], ""
    for above, below in zip_longest(first, second, fillvalue=""):
        spanning = above.strip() or spanning
        # Below "Newsletter" stand names of newsletters: they say who is subscribed, too.
        above_counts = below.strip() and may_say_state(spanning)
        headings.append(f"{spanning} {below}" if above_counts else below.strip() or above)
    return replace(found, rows=[*found.rows[:at], (number, headings), *found.rows[at + 2 :]])


def _email_column(heading: list[str], below: list[tuple[int, list[str]]]) -> int | None:
    """The index of the address column: a known heading wins over one that has "mail" in it and addresses below."""
    found = []
    for column, cell in enumerate(heading):
        full = sum(column < len(cells) and find_address(cells[column]) is not None for _, cells in below)
        known = column_for_heading(cell) == "email"
        if known or ("mail" in normalize_heading(cell) and full):
            found.append((known and (full > 0 or not below), known, normalize_heading(cell) == "email", full, -column))
    return -max(found)[-1] if found else None
