"""Read and write tables of people as CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TextIO

from mailer.errors import TableRefused
from mailer.importers.address_cell import find_address
from mailer.importers.bad_row import BadRow
from mailer.importers.own_people import is_own_heading, read_own_people
from mailer.importers.person_cells import parse_person
from mailer.importers.person_row import FORMULA_STARTS, PersonRow, escape_formula
from mailer.importers.table_columns import Column
from mailer.importers.table_layout import TableLayout, detect_layout
from mailer.importers.table_records import TableRecord, read_lines, read_records

_SPECIAL = re.compile(rf"""["\r\n]|,['{re.escape("".join(FORMULA_STARTS))}]""")
"""In a row of cells after a comma each: what must be quoted, and the start of a formula."""
SAMPLE_LINES = 200
"""How many lines are looked at to detect the layout."""


@dataclass(frozen=True, slots=True)
class PeopleTable:
    """A table of people whose rows are read lazily."""

    guessed: tuple[str, ...]
    """What was guessed about the layout, as texts for people."""
    rows: Iterator[tuple[int, PersonRow | BadRow]]
    """Each row with the number of the line on which it ends."""


def read_people(file: TextIO, ignored: Collection[str] = ()) -> PeopleTable:
    """Read the people of a CSV file, or of a plain list of addresses without a heading, row by row.

    Columns whose headings are in `ignored` are left out. Raises TableRefused where no column holds addresses, and
    where a column of a foreign table may say who unsubscribed.
    """
    lines = read_lines(file)
    first = list(islice(lines, SAMPLE_LINES))
    if first and is_own_heading(first[0]):
        return PeopleTable((), read_own_people(chain(first, lines), ignored))
    layout = detect_layout(first, ignored)
    return PeopleTable(layout.guessed, _read_rows(chain(first, lines), layout))


def _read_rows(lines: Iterable[str], layout: TableLayout) -> Iterator[tuple[int, PersonRow | BadRow]]:
    for number, cells in read_table_records(lines, layout):
        try:
            if isinstance(cells, str):
                raise TableRefused(cells)
            yield number, parse_person(layout.columns, cells, own_export=layout.own_export)
        except TableRefused as refusal:
            yield number, BadRow(number, str(refusal))


def read_table_records(lines: Iterable[str], layout: TableLayout) -> Iterator[TableRecord]:
    """The records below a table's heading."""
    records: Iterator[TableRecord]
    if layout.delimiter is None:
        records = ((number, [line.strip()]) for number, line in enumerate(lines, 1) if line.strip())
    else:
        records = read_records(lines, layout.delimiter, lambda cells: _is_row(cells, layout.columns))
    return (record for record in records if record[0] > layout.heading_ends_at)


def _is_row(cells: list[str], columns: tuple[Column, ...]) -> bool:
    """Whether a line within a quoted cell is a complete row, which means that the quote was never closed."""
    email = next(at for at, column in enumerate(columns) if column.meaning == "email")
    width = sum(not column.made_of for column in columns)
    return len(cells) >= width > 1 and email < width and find_address(cells[email]) is not None


def write_cells(file: TextIO, rows: Iterable[Sequence[str]]) -> None:
    """Append rows of cells as CSV; cells that a spreadsheet would take for formulas are escaped."""
    for cells in rows:
        # Most rows have nothing to quote or to escape: one search in the whole row says so.
        line = ",".join(cells)
        if line and line.count(",") < len(cells) and not _SPECIAL.search(f",{line}"):
            file.write(f"{line}\n")
        else:
            write_plain_cells(file, [[escape_formula(cell) for cell in cells]])


def write_plain_cells(file: TextIO, rows: Iterable[Sequence[str]]) -> None:
    """Append rows of cells as CSV, as they are."""
    plain, quoted = (csv.writer(file, lineterminator="\n", quoting=how) for how in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    for cells in rows:
        # The csv module quotes a carriage return only where its lines end in one.
        (quoted if any("\r" in cell for cell in cells) else plain).writerow(cells)
