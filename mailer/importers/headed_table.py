"""Tables of a known product: recognised by their headings, read as cells by heading."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice

from mailer.errors import TableRefused
from mailer.importers.address_cell import find_address
from mailer.importers.bad_row import BadRow
from mailer.importers.person_cells import clean_cell
from mailer.importers.source_files import SourceFile
from mailer.importers.table_encoding import open_table
from mailer.importers.table_records import TableRecord, read_lines, read_records

_SEPARATORS = (",", ";", "\t", "|")
_HEAD, _HEADING_WITHIN, _SAMPLE_LINES = 1 << 14, 5, 200
MOST_TABLES = 500
"""The most tables that one export may have."""
_SUFFIXES = ("csv", "tsv", "txt", "tab")

TableCells = Mapping[str, str]
"""The cells of a row by the heading's key: the heading in lower case; a second one of the same name ends in ` 2`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadedTable:
    """A table whose rows are read lazily."""

    headings: tuple[str, ...]
    """As written, in order."""
    keys: tuple[str, ...]
    """The key of each heading."""
    rows: Iterator[tuple[int, TableCells | BadRow]]
    """Each row with the number of the line on which it ends."""
    guessed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _FoundHeading:
    """The heading of a table."""

    delimiter: str
    line: int
    headings: tuple[str, ...]


def find_headings(file: SourceFile, required: Collection[str]) -> tuple[str, ...] | None:
    """The keys of a file's headings where the keys `required` are among them, by its first octets; None otherwise."""
    found = _find_heading(_head_lines(file), required) if may_be_table(file) else None
    return heading_keys(found.headings) if found else None


@lru_cache(maxsize=MOST_TABLES)
def _head_lines(file: SourceFile) -> tuple[str, ...]:
    """The first lines of a file; none where it is no text. Each product looks at them, so they are kept for a while."""
    with file.open() as opened:
        head = opened.read(_HEAD)
    try:
        text, _ = open_table(io.BytesIO(head))
        return tuple(islice(read_lines(text), _SAMPLE_LINES))
    except TableRefused:
        return ()


def forget_heads() -> None:
    """Let go of the files whose first lines were looked at."""
    _head_lines.cache_clear()


def may_be_table(file: SourceFile) -> bool:
    """Whether a file's name is one of a table; a file without a name may be one."""
    return not file.base_name or file.base_name.rpartition(".")[2].lower() in _SUFFIXES


def open_headed_table(
    file: SourceFile, required: Collection[str], *, needed: Collection[str] = (), encoding: str | None = None
) -> HeadedTable:
    """Open a table that has the headings `required` (keys) within its first lines.

    A row that ends before one of the cells `required` or `needed`, or has more cells than headings, is a BadRow.
    Raises TableRefused where there are no such headings.
    """
    text, guess = open_table(file.open(), encoding)
    lines = read_lines(text)
    first = list(islice(lines, _SAMPLE_LINES))
    found = _find_heading(first, required)
    if found is None:
        raise TableRefused(f"{file.base_name}: no line of the first names columns {', '.join(sorted(required))}")
    keys = heading_keys(found.headings)
    least = max((keys.index(key) + 1 for key in {*required, *needed} & set(keys)), default=0)
    records = read_records(
        chain((line.removeprefix("\ufeff") for line in first), lines),
        found.delimiter,
        lambda cells: len(cells) >= len(keys) > 1 and any(map(find_address, cells)),
    )
    for number, _ in records:
        if number >= found.line:
            break
    return HeadedTable(
        headings=found.headings,
        keys=keys,
        rows=_read_rows(records, keys, least, file.base_name),
        guessed=(f"{file.base_name}: {guess}",) if guess else (),
    )


def heading_keys(headings: Sequence[str]) -> tuple[str, ...]:
    """The keys of headings: in lower case; of equal ones the second ends in ` 2`."""
    keys: list[str] = []
    for heading in headings:
        key, count = heading.lower(), 1
        while key and key in keys:
            count += 1
            key = f"{heading.lower()} {count}"
        keys.append(key)
    return tuple(keys)


def _find_heading(lines: Sequence[str], required: Collection[str]) -> _FoundHeading | None:
    for delimiter in _SEPARATORS:
        for number, cells in islice(read_records(lines, delimiter), _HEADING_WITHIN):
            if isinstance(cells, str):
                continue
            headings = [clean_cell(cell.removeprefix("\ufeff")) for cell in cells]
            if set(required) <= {heading.lower() for heading in headings}:
                while headings and not headings[-1]:
                    headings.pop()
                return _FoundHeading(delimiter=delimiter, line=number, headings=tuple(headings))
    return None


def _read_rows(
    records: Iterator[TableRecord], keys: tuple[str, ...], least: int, place: str
) -> Iterator[tuple[int, TableCells | BadRow]]:
    width, empty = len(keys), [""] * len(keys)
    for number, record in records:
        if isinstance(record, str):
            yield number, BadRow(number, record, place)
            continue
        cells = record
        if len(cells) != width:
            filled = len(cells) if len(cells) <= width else max(at for at, cell in enumerate(cells, 1) if cell.strip())
            if filled > width or len(cells) < least:
                yield number, BadRow(number, f"has {filled} cells, the heading {width}", place)
                continue
            cells = (cells + empty)[:width]
        joined = "".join(cells)
        clean = str.strip if joined.isprintable() and "'" not in joined else clean_cell
        yield number, dict(zip(keys, map(clean, cells), strict=True))
