"""Read a spreadsheet in a workbook of Excel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ReadOptions
from mailer.importers.person_row import PersonRow
from mailer.importers.sheets.sheet_columns import assign_sheet_columns, says_that_they_left
from mailer.importers.sheets.sheet_rows import RowPlan, parse_sheet_row, plan_rows
from mailer.importers.sheets.sheet_text import SheetRows
from mailer.importers.sheets.xlsx_table import Sheet, SheetFile, open_workbook
from mailer.importers.source_files import SourceFile
from mailer.importers.table_candidates import candidate_of_rows
from mailer.importers.table_layout import TableLayout, layout_of_candidates


def read_workbook(file: SourceFile, options: ReadOptions) -> SheetRows:
    """Read the sheet of a workbook that holds people. Raises TableRefused for one that cannot be imported as it is.

    `options.source_list` names the sheet where several hold addresses.
    """
    workbook = open_workbook(file.open)
    sheet = _choose_sheet(workbook, options)
    layout = _detect_layout(sheet, options)
    names = [sheet.name, file.base_name.rpartition(".")[0]]
    plan = plan_rows(layout, options, they_left=says_that_they_left(*names))
    guessed = (*_describe(workbook, sheet), *plan.guessed)
    return SheetRows(rows=_read_rows(sheet, layout, plan), guessed=guessed)


def _choose_sheet(workbook: SheetFile, options: ReadOptions) -> Sheet:
    if options.source_list is not None:
        named = [
            one for one in workbook.sheets if one.name.strip().casefold() == options.source_list.strip().casefold()
        ]
        if not named:
            raise TableRefused(f"no sheet is called {options.source_list!r}; there are: {_list_names(workbook.sheets)}")
        return named[0]
    visible = [one for one in workbook.sheets if not one.is_hidden]
    email = next(iter(options.columns.get("email", ())), None)
    found = {one.name: candidate_of_rows(one.first_rows, email_heading=email) for one in visible}
    holding = [one for one in visible if found[one.name]]
    headed = [one for one in holding if (table := found[one.name]) and table.heading is not None]
    chosen = headed or holding
    if len(chosen) > 1:
        raise TableRefused(
            f"{len(chosen)} of its sheets hold addresses: say which with --source-list: {_list_names(chosen)}"
        )
    if chosen:
        return chosen[0]
    hidden = [one for one in workbook.sheets if one.is_hidden and candidate_of_rows(one.first_rows)]
    if hidden:
        raise TableRefused(f"only hidden sheets hold addresses: say which with --source-list: {_list_names(hidden)}")
    if email and any(candidate_of_rows(one.first_rows) for one in visible):
        table = next(table for one in visible if (table := candidate_of_rows(one.first_rows)))
        raise TableRefused(f"no column is called {email!r}; there are: {', '.join(filter(None, table.headings))}")
    raise TableRefused(f"no column holds addresses, in none of its sheets: {_list_names(workbook.sheets)}")


def _detect_layout(sheet: Sheet, options: ReadOptions) -> TableLayout:
    named = [heading for headings in options.columns.values() for heading in headings] + sorted(options.ignored)
    email = next(iter(options.columns.get("email", ())), None)
    candidate = candidate_of_rows(sheet.first_rows, email_heading=email)
    return layout_of_candidates(
        [candidate] if candidate else [],
        lambda candidate: assign_sheet_columns(candidate, options),
        first_line=" ".join(filter(None, sheet.first_rows[0][1])) if sheet.first_rows else "",
        named=named,
    )


def _describe(workbook: SheetFile, sheet: Sheet) -> list[str]:
    """What is said about a workbook besides its columns."""
    texts = []
    others = [one for one in workbook.sheets if one is not sheet]
    if others:
        texts.append(f"of its sheets only {sheet.name!r} is read, not {_list_names(others)}")
    if hidden := [one for one in others if one.is_hidden]:
        texts.append(f"hidden in it: {_list_names(hidden)}")
    if sheet.is_hidden:
        texts.append(f"{sheet.name!r} is a hidden sheet")
    if sheet.hidden_rows:
        texts.append(f"{sheet.hidden_rows} of its rows are hidden: they are read, too")
    if workbook.has_macros:
        texts.append("it has macros: they are not run")
    return texts


def _read_rows(sheet: Sheet, layout: TableLayout, plan: RowPlan) -> Iterator[tuple[int, PersonRow | BadRow]]:
    for number, cells in sheet.rows():
        if number <= layout.heading_ends_at:
            continue
        row = cells if layout.delimiter is not None else [next(filter(None, cells))]
        if number in sheet.struck_rows:
            yield (
                number,
                BadRow(number, "is struck through, which may say that they left: take the row or the line out"),
            )
            continue
        try:
            yield number, parse_sheet_row(plan, row)
        except TableRefused as refusal:
            yield number, BadRow(number, str(refusal))


def _list_names(sheets: Sequence[Sheet]) -> str:
    return ", ".join(repr(one.name) for one in sheets)
