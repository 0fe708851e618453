"""Read the sheets of an Excel workbook as rows of texts."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, time
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from mailer.errors import TableRefused
from mailer.importers.sheets.xlsx_guard import check_workbook

if TYPE_CHECKING:
    from openpyxl import Workbook

SAMPLE_ROWS = 40
"""How many rows are looked at to detect the layout."""
_MORE_COLUMNS = 8
"""Columns beyond those of the first rows that are still read."""
_SAMPLED_WITHIN = 1000

# What a workbook has besides its cells is not read, and openpyxl warns of each part.
warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")

SheetRow = tuple[int, list[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """One sheet of a workbook."""

    name: str
    is_hidden: bool
    hidden_rows: int
    first_rows: list[SheetRow]
    """The full rows among the first, each with its number."""
    workbook: Workbook
    struck_rows: set[int]
    """The numbers of those rows read so far of which an address, or all, is struck through."""

    def rows(self) -> Iterator[SheetRow]:
        """All rows that are not empty, each with its number. Raises TableRefused where the sheet is damaged."""
        width = max((len(cells) for _, cells in self.first_rows), default=0) + _MORE_COLUMNS
        return _read_rows(self.workbook, self.name, width, self.struck_rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetFile:
    """An Excel workbook."""

    sheets: tuple[Sheet, ...]
    has_macros: bool


def open_workbook(open_file: Callable[[], BinaryIO]) -> SheetFile:
    """Open a workbook: cached values of formulas, no links elsewhere, no macros. Raises TableRefused."""
    from openpyxl import load_workbook

    with open_file() as file:
        checked = check_workbook(file)
    try:
        workbook = load_workbook(open_file(), read_only=True, data_only=True, keep_links=False)
        sheets = tuple(
            Sheet(
                name=sheet.title,
                is_hidden=sheet.sheet_state != "visible",
                hidden_rows=checked.hidden_rows.get(sheet._worksheet_path, 0),
                first_rows=_first_rows(workbook, sheet.title),
                workbook=workbook,
                struck_rows=set(),
            )
            for sheet in cast("list[Any]", workbook.worksheets)
        )
    except TableRefused:
        raise
    except Exception as error:  # of any kind: the library expects files of Excel's own
        raise _damaged(error) from None
    return SheetFile(sheets=sheets, has_macros=checked.has_macros)


def _first_rows(workbook: Workbook, name: str) -> list[SheetRow]:
    with closing(_read_rows(workbook, name)) as rows:
        return list(islice(takewhile(lambda row: row[0] <= _SAMPLED_WITHIN, rows), SAMPLE_ROWS))


def _read_rows(
    workbook: Workbook, name: str, width: int | None = None, struck_rows: set[int] | None = None
) -> Generator[SheetRow]:
    sheet: Any = workbook[name]
    struck = _struck_styles(workbook) if struck_rows is not None else frozenset()
    # The size that a sheet states of itself may be wrong by a million rows.
    sheet.reset_dimensions()
    number = 0
    try:
        for number, read in enumerate(sheet.iter_rows(max_col=width, values_only=not struck), 1):
            if struck_rows is not None and struck and _is_struck(read, struck):
                struck_rows.add(number)
            values = [cell.value for cell in read] if struck else read
            if any(value is not None for value in values):
                cells = [cell_text(value) for value in values]
                while cells and not cells[-1].strip():
                    cells.pop()
                if cells:
                    yield number, cells
    except Exception as error:  # of any kind: the library expects files of Excel's own
        raise _damaged(error, f" after row {number}") from None


def _struck_styles(workbook: Any) -> frozenset[int]:
    """The numbers of the styles of cells whose text is struck through."""
    fonts = workbook._fonts
    return frozenset(at for at, style in enumerate(workbook._cell_styles) if fonts[style.fontId].strike)


def _is_struck(cells: Sequence[Any], styles: frozenset[int]) -> bool:
    full = [(str(cell.value), getattr(cell, "_style_id", 0) in styles) for cell in cells if cell.value is not None]
    return bool(full) and (all(struck for _, struck in full) or any(struck for text, struck in full if "@" in text))


def cell_text(value: object) -> str:
    """The text of a cell's value: whole numbers without a point, days and times in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return str(value.date()) if value.time() == time() else str(value.replace(microsecond=0))
    return str(value)


def _damaged(error: Exception, where: str = "") -> TableRefused:
    why = str(error).partition("\n")[0][:200] or type(error).__name__
    return TableRefused(f"is no workbook that can be read{where} ({why}): open it, and save the sheet as CSV (UTF-8)")
