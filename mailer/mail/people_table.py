"""Tables of people: CSV in and out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from mailer.domain.person_row import PersonRow, check_columns, defused, read_person
from mailer.errors import TableRefused


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be used."""

    line: int
    reason: str


def read_people(file: TextIO) -> Iterator[tuple[int, PersonRow | BadRow]]:
    """The rows of a CSV file (comma, semicolon or tab; the first line names the columns), one at a time.

    Each comes with the number of the line it ends on. Raises TableRefused where the header is unusable.
    """
    header = file.readline().removeprefix("\ufeff")
    delimiter = max(",;\t", key=header.count)
    try:
        columns = check_columns(next(csv.reader([header], delimiter=delimiter), []))
    except csv.Error as trouble:
        raise TableRefused(f"line 1: {trouble}") from None
    return _rows(csv.reader(file, delimiter=delimiter), columns)


def _rows(reader: Any, columns: list[str]) -> Iterator[tuple[int, PersonRow | BadRow]]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as trouble:
            yield reader.line_num + 1, BadRow(reader.line_num + 1, str(trouble))
            continue
        if not any(cells):
            continue
        line = reader.line_num + 1
        try:
            if len(cells) > len(columns):
                raise TableRefused(f"has {len(cells)} cells, the header {len(columns)}")
            yield line, read_person(dict(zip(columns, cells, strict=False)))
        except TableRefused as refusal:
            yield line, BadRow(line, str(refusal))
        except KeyError:
            yield line, BadRow(line, "has no email cell")


def write_people(file: TextIO, columns: list[str], rows: Iterable[dict[str, str]]) -> None:
    """Append rows, with cells that a spreadsheet would run defused."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([defused(row.get(column, "")) for column in columns] for row in rows)
