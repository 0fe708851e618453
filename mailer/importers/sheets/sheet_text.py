"""Read a spreadsheet that was saved as text: CSV, tabs, or a plain list of addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ReadOptions
from mailer.importers.own_people import is_own_heading, read_own_people
from mailer.importers.people_csv import SAMPLE_LINES, read_table_records
from mailer.importers.person_row import PersonRow
from mailer.importers.sheets.sheet_columns import assign_sheet_columns, says_that_they_left
from mailer.importers.sheets.sheet_rows import RowPlan, parse_sheet_row, plan_rows
from mailer.importers.source_files import SourceFile
from mailer.importers.table_candidates import find_candidates
from mailer.importers.table_encoding import open_table
from mailer.importers.table_layout import TableLayout, layout_of_candidates
from mailer.importers.table_records import read_lines


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetRows:
    """The people of one table, read lazily."""

    rows: Iterator[tuple[int, PersonRow | BadRow]]
    guessed: tuple[str, ...]


def read_text_sheet(file: SourceFile, options: ReadOptions) -> SheetRows:
    """Read a table of people that was saved as text. Raises TableRefused for one that cannot be imported as it is."""
    with file.open() as octets:
        text, encoding_guess = open_table(octets, options.encoding)
        encoding = text.encoding
        first = list(islice(read_lines(text), SAMPLE_LINES))
        text.detach()
    guessed = [encoding_guess] if encoding_guess else []
    if first and is_own_heading(first[0]) and not options.columns:
        return SheetRows(rows=_read_own(file, encoding, options), guessed=tuple(guessed))
    layout = _detect_layout(first, options)
    plan = plan_rows(layout, options, they_left=says_that_they_left(file.base_name.rpartition(".")[0]))
    return SheetRows(rows=_read_rows(file, encoding, layout, plan), guessed=(*guessed, *plan.guessed))


def holds_addresses(file: SourceFile, options: ReadOptions) -> bool:
    """Whether a column of a table that was saved as text holds addresses."""
    with file.open() as octets:
        text, _ = open_table(octets, options.encoding)
        first = list(islice(read_lines(text), SAMPLE_LINES))
        text.detach()
    return bool(find_candidates(first, next(iter(options.columns.get("email", ())), None))[0])


def _detect_layout(first: list[str], options: ReadOptions) -> TableLayout:
    named = [heading for headings in options.columns.values() for heading in headings] + sorted(options.ignored)
    email = next(iter(options.columns.get("email", ())), None)
    candidates, declared = find_candidates(first, email)
    if email and not candidates:
        headed = [one for one in find_candidates(first)[0] if one.headings]
        headings = max(headed, key=lambda one: one.score).headings if headed else first[:1]
        raise TableRefused(f"no column is called {email!r}; there are: {', '.join(filter(None, headings)).strip()}")
    return layout_of_candidates(
        candidates,
        lambda candidate: assign_sheet_columns(candidate, options),
        first_line=next((line.strip() for line in first if line.strip()), ""),
        named=named,
        separator_declared=declared,
    )


def _read_own(file: SourceFile, encoding: str, options: ReadOptions) -> Iterator[tuple[int, PersonRow | BadRow]]:
    with file.open() as octets:
        text, _ = open_table(octets, encoding)
        yield from read_own_people(read_lines(text), options.ignored)


def _read_rows(
    file: SourceFile, encoding: str, layout: TableLayout, plan: RowPlan
) -> Iterator[tuple[int, PersonRow | BadRow]]:
    with file.open() as octets:
        text, _ = open_table(octets, encoding)
        for number, cells in read_table_records(read_lines(text), layout):
            try:
                if isinstance(cells, str):
                    raise TableRefused(cells)
                yield number, parse_sheet_row(plan, cells)
            except TableRefused as refusal:
                yield number, BadRow(number, str(refusal))
