"""Split the lines of a table into records of cells (RFC 4180), tolerating quotes that are never closed."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

from mailer.errors import TableRefused

MAX_LINE = 1 << 20
ENDLESS_LINE = 16 << 20
_MAX_LINES = 100
"""The most lines of one record. Beyond it a quote is taken as never closed."""
_MAX_UNCLOSED = 1000
"""For each quote that is never closed _MAX_LINES are looked at."""

TableRecord = tuple[int, list[str] | str]
"""The number of the line on which the record ends, and its cells, or a text that says what is wrong with it."""


def read_lines(file: TextIO) -> Iterator[str]:
    """The lines of a file with their line ends. Of a line longer than MAX_LINE characters the rest is dropped.

    Raises TableRefused for a line longer than ENDLESS_LINE: it would take minutes to find its end.
    """
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        rest, length = line, len(line)
        while len(rest) > MAX_LINE and not rest.endswith(("\n", "\r")):
            rest = file.readline(MAX_LINE + 1)
            length += len(rest)
            if length > ENDLESS_LINE:
                raise TableRefused(f"line {number} has more than {ENDLESS_LINE} characters: it is no table")
        yield line


def read_records(
    lines: Iterable[str], delimiter: str, is_row: Callable[[list[str]], bool] = lambda _: False
) -> Iterator[TableRecord]:
    """The records of these lines, blank ones left out.

    A quoted cell may hold line breaks. Where a line within it is a row by itself (`is_row`), or the quote is still
    open after _MAX_LINES lines or MAX_LINE characters, the quote counts as never closed, and its line is read alone;
    after _MAX_UNCLOSED of them so is every line.
    """
    waiting: list[str] = []
    source, number, unclosed = iter(lines), 0, 0
    while (line := waiting.pop(0) if waiting else next(source, None)) is not None:
        number += 1
        if (cells := _split_line(line, delimiter)) is not None:
            if not line.isspace() and any(map(str.strip, cells)):
                yield number, cells
            continue
        more: list[str] = []
        if unclosed < _MAX_UNCLOSED:
            more, closed = _continuation_lines(line, waiting, source, delimiter, is_row)
        else:
            closed = not _leaves_quote_open(line, delimiter, False)
        if not closed:
            unclosed += 1
            waiting[:0] = more
            more = []
        number += len(more)
        record = _split_cells("".join([line, *more]), delimiter, quoted=closed)
        if isinstance(record, str) or any(cell.strip() for cell in record):
            yield number, record


def _split_line(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line that is a record by itself; None where a quote may be left open, and for a long line."""
    if len(line) > MAX_LINE:
        return None
    if '"' not in line:
        return line.rstrip("\r\n").split(delimiter)
    try:
        return next(csv.reader((line,), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def _continuation_lines(
    line: str, waiting: list[str], source: Iterator[str], delimiter: str, is_row: Callable[[list[str]], bool]
) -> tuple[list[str], bool]:
    """The further lines of this line's quoted cell, and whether its quote is closed."""
    more: list[str] = []
    length = len(line)
    is_open = _leaves_quote_open(line, delimiter, False)
    while is_open:
        following = waiting.pop(0) if waiting else next(source, None)
        if following is None:
            return more, False
        more.append(following)
        cells = _split_cells(following, delimiter, quoted=True)
        length += len(following)
        if len(more) >= _MAX_LINES or length > MAX_LINE or (not isinstance(cells, str) and is_row(cells)):
            return more, False
        is_open = _leaves_quote_open(following, delimiter, True)
    return more, True


def _leaves_quote_open(line: str, delimiter: str, is_open: bool) -> bool:
    """Whether a quoted cell continues after this line."""
    if '"' not in line:
        return is_open
    at_start, at = not is_open, 0
    while at < len(line):
        char = line[at]
        if is_open and char == '"':
            if line[at + 1 : at + 2] == '"':
                at += 1
            else:
                is_open = False
        elif not is_open:
            is_open = at_start and char == '"'
            at_start = char == delimiter
        at += 1
    return is_open


def _split_cells(text: str, delimiter: str, *, quoted: bool) -> list[str] | str:
    if len(text) > MAX_LINE:
        return "is too long to be a row"
    if '"' not in text:
        return text.rstrip("\r\n").split(delimiter)
    if not quoted:
        return [cell.strip().strip('"') for cell in text.rstrip("\r\n").split(delimiter)]
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error as trouble:
        return str(trouble)
