"""Tables of people: CSV in and out."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TextIO

from mailer.errors import TableRefused
from mailer.importers.person_cells import Column, find_address, parse_person
from mailer.importers.person_row import PersonRow, escape_formula
from mailer.importers.table_records import TableRecord, read_lines, read_records
from mailer.importers.table_shape import TableLayout, detect_layout

_SAMPLE_LINES = 200
"""Lines that tell what the table looks like."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be used."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class PeopleTable:
    """A table that is read as it is asked for."""

    guessed: tuple[str, ...]
    """What it does not say itself, in words for people."""
    rows: Iterator[tuple[int, PersonRow | BadRow]]
    """Each with the number of the line it ends on."""


def read_people(file: TextIO, ignored: Collection[str] = ()) -> PeopleTable:
    """The people of a CSV file, one at a time; without a heading that names its columns, of a plain list of addresses.

    Columns called as the `ignored` ones are left out. Raises TableRefused where no column holds addresses, and where
    one says who may be written to that is not ours.
    """
    lines = read_lines(file)
    first = list(islice(lines, _SAMPLE_LINES))
    shape = detect_layout(first, ignored)
    return PeopleTable(shape.guessed, _read_rows(chain(first, lines), shape))


def _read_rows(lines: Iterable[str], shape: TableLayout) -> Iterator[tuple[int, PersonRow | BadRow]]:
    found: Iterator[TableRecord]
    if shape.delimiter is None:
        found = ((number, [line.strip()]) for number, line in enumerate(lines, 1) if line.strip())
    else:
        found = read_records(lines, shape.delimiter, lambda cells: _is_row(cells, shape.columns))
    for number, cells in found:
        if number <= shape.heading_ends_at:
            continue
        try:
            if isinstance(cells, str):
                raise TableRefused(cells)
            yield number, parse_person(shape.columns, cells, own_export=shape.own_export)
        except TableRefused as refusal:
            yield number, BadRow(number, str(refusal))


def _is_row(cells: list[str], columns: tuple[Column, ...]) -> bool:
    """Whether a line within a quoted cell is a row by itself: then the quote was never closed."""
    email = next(at for at, column in enumerate(columns) if column.meaning == "email")
    return len(cells) >= len(columns) > 1 and find_address(cells[email]) is not None


def write_people(file: TextIO, columns: list[str], rows: Iterable[dict[str, str]]) -> None:
    """Append rows, with cells that a spreadsheet would run defused."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([escape_formula(row.get(column, "")) for column in columns] for row in rows)
