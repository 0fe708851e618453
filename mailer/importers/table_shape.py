"""What a table of people looks like: its separator, its heading, and what its columns are."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mailer.errors import TableRefused
from mailer.importers.column_words import column_for_heading, is_flag, is_state_heading, normalize_heading
from mailer.importers.person_cells import Column, find_address
from mailer.importers.person_row import PERSON_COLUMNS, STATE_COLUMNS
from mailer.importers.table_records import read_records

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SEP_LINE = re.compile(r'\ufeff?"?sep=(.)"?[;,\t]*\s*', re.IGNORECASE)
_HEADING_WITHIN, _SAMPLE_ROWS = 5, 30
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MAX_NAME = 40
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, kw_only=True, slots=True)
class TableLayout:
    """How a table is read."""

    delimiter: str | None
    """None: each line is a whole: an address, or `Name <address>`."""
    heading_ends_at: int
    """The number of the heading's last line; 0 where the first line is a person's."""
    columns: tuple[Column, ...]
    own_export: bool
    """Whether it is an export of ours with everybody's state."""
    guessed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _LayoutCandidate:
    """A table as it looks with one separator."""

    delimiter: str
    rows: list[tuple[int, list[str]]]
    heading: int | None
    """Which of the rows names the columns."""
    email: int
    """Which column holds the addresses."""

    @property
    def cells(self) -> list[str]:
        return self.rows[self.heading][1] if self.heading is not None else []

    def addresses(self, since: int = 0) -> int:
        """How many rows have one where it belongs."""
        return sum(
            len(cells) > self.email and find_address(cells[self.email]) is not None for _, cells in self.rows[since:]
        )

    def has_clear_address_column(self, first: int) -> bool:
        """Whether its column of addresses, which no heading names so, is one: from its first person on."""
        above = self.cells[self.email] if self.heading is not None else ""
        other = column_for_heading(above) or any(separator in above for separator in _SEPARATORS)
        return not other and 2 * self.addresses(first) >= len(self.rows) - first

    @property
    def score(self) -> tuple[float, ...]:
        """How much it looks like a table of people: more is better."""
        known = sum(column_for_heading(cell) is not None for cell in self.cells)
        below = self.rows[(self.heading or 0) + 1 :] if self.heading is not None else self.rows
        width = len(self.cells or self.rows[0][1])
        alike = sum(len(cells) == width for _, cells in below) / (len(below) or 1)
        return (self.heading is not None, known, alike if width > 1 else 0, width)


def detect_layout(lines: Sequence[str], ignored: Collection[str] = ()) -> TableLayout:
    """The shape of a table that begins with these lines.

    Raises TableRefused where no column holds addresses, and for columns that say who may be written to: they are not
    understood, so each must be among the `ignored`.
    """
    told = next((sep[1] for line in lines[:3] if (sep := _SEP_LINE.fullmatch(line))), None)
    readings = [found for one in ([told] if told else _SEPARATORS) if (found := _try_delimiter(lines, one))]
    headed = [one for one in readings if one.heading is not None]
    if headed:
        return _layout_with_heading(max(headed, key=lambda one: one.score), ignored, bool(told))
    if ignored:
        raise TableRefused(f"no line names the columns, so there is none called {', '.join(ignored)}")
    return _layout_without_heading(lines, readings)


def _try_delimiter(lines: Sequence[str], delimiter: str) -> _LayoutCandidate | None:
    """The table with this separator; None where it has no column of addresses."""
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
    """Which heading is that of the addresses: a known one before one that only speaks of mail, and has them."""
    found = []
    for column, cell in enumerate(heading):
        full = sum(column < len(cells) and find_address(cells[column]) is not None for _, cells in below)
        known = column_for_heading(cell) == "email"
        if known or ("mail" in normalize_heading(cell) and full):
            found.append((known and (full > 0 or not below), known, normalize_heading(cell) == "email", full, -column))
    return -max(found)[-1] if found else None


def _layout_with_heading(reading: _LayoutCandidate, ignored: Collection[str], separator_told: bool) -> TableLayout:
    cells = [cell.strip() for cell in reading.cells]
    while cells and not cells[-1]:
        cells.pop()
    ours = {*PERSON_COLUMNS, STATE_COLUMNS[0]} <= set(cells)
    left_out = _ignored_headings(cells, ignored)
    columns = _columns(cells, reading.email, left_out, ours=ours)
    if not ours:
        _refuse_state_columns([one for one in columns if one.meaning is None and one.heading and not one.ignored])
    guessed = (
        [] if separator_told or reading.delimiter == "," else [f"separated by {_SEPARATORS.get(reading.delimiter)}"]
    )
    for one in columns:
        if one.meaning and one.meaning != normalize_heading(one.heading).replace(" ", "_"):
            guessed.append(f"column {one.heading!r} is read as {one.meaning}")
        elif one.attribute and one.attribute != normalize_heading(one.heading).replace(" ", "_"):
            guessed.append(f"column {one.heading!r} is kept as {one.attribute}")
    begins_after = reading.rows[reading.heading or 0][0]
    return TableLayout(
        delimiter=reading.delimiter,
        heading_ends_at=begins_after,
        columns=tuple(columns),
        own_export=ours,
        guessed=tuple(guessed),
    )


def _ignored_headings(cells: list[str], ignored: Collection[str]) -> set[str]:
    have = {_joined_heading(cell): cell for cell in cells}
    for name in ignored:
        if _joined_heading(name) not in have:
            raise TableRefused(f"no column is called {name!r}; there are: {', '.join(filter(None, cells))}")
    return {have[_joined_heading(name)] for name in ignored}


def _joined_heading(heading: str) -> str:
    return normalize_heading(heading).replace(" ", "")


def _columns(cells: list[str], email: int, left_out: set[str], *, ours: bool) -> list[Column]:
    meanings = {"email": email}
    for at, cell in enumerate(cells):
        means = (cell if cell in (*PERSON_COLUMNS, *STATE_COLUMNS) else None) if ours else column_for_heading(cell)
        if means and means not in meanings and cell not in left_out:
            meanings[means] = at
    if "first_name" in meanings and "last_name" not in meanings and _is_last_name(cells, meanings.get("name")):
        meanings["last_name"] = meanings.pop("name")
    means_at = {at: means for means, at in meanings.items()}
    columns: list[Column] = []
    for at, cell in enumerate(cells):
        means = means_at.get(at)
        ignored = cell in left_out and at != email
        is_ours = means in {*PERSON_COLUMNS, *STATE_COLUMNS}
        attribute = None if not cell or ignored or is_ours else _attribute_name(cell, at, means)
        columns.append(Column(heading=cell, meaning=means, attribute=attribute, ignored=ignored))
    _refuse_duplicates(columns)
    return columns


def _is_last_name(cells: list[str], at: int | None) -> bool:
    """Whether a "name" beside a first name is the last one, as in "Vorname; Name"."""
    return at is not None and normalize_heading(cells[at]) in {"name", "nom", "naam"}


def _attribute_name(heading: str, at: int, means: str | None) -> str:
    """What a column is called in letters: its heading, as far as that can be written so."""
    if "\0" in heading:
        raise TableRefused(f"column {at + 1} has a heading that is no text")
    name = normalize_heading(heading).replace(" ", "_")[:_MAX_NAME].strip("_")
    if not _NAME.fullmatch(name):
        return f"column_{at + 1}"
    return (means or f"{name}_2") if name in {*PERSON_COLUMNS, *STATE_COLUMNS} else name


def _refuse_duplicates(columns: list[Column]) -> None:
    for names in (
        [normalize_heading(one.heading) for one in columns if one.heading],
        [one.attribute for one in columns],
    ):
        for name in names:
            if name and names.count(name) > 1:
                raise TableRefused(f"two columns are called {name!r}")


def _refuse_state_columns(columns: list[Column]) -> None:
    speaking = [one.heading for one in columns if is_state_heading(one.heading)]
    if not speaking:
        return
    which = ", ".join(map(repr, speaking))
    options = " ".join(f"--ignore-column {_shell_quote(one)}" for one in speaking)
    raise TableRefused(
        f"nobody is imported: {which} may say who left, never agreed or cannot be reached, which is not read here. "
        f"Take those people out of the table, then import the rest with {options}. "
        "(Is it about something else? Then give the column another name.)"
    )


def _shell_quote(word: str) -> str:
    return word if re.fullmatch(r"[\w.-]+", word) else "'" + word.replace("'", "'\\''") + "'"


def _layout_without_heading(lines: Sequence[str], readings: list[_LayoutCandidate]) -> TableLayout:
    """A plain list: addresses, with names beside them or around them; what else stands there, nobody could tell."""
    if not readings:
        first = next((line.strip() for line in lines if line.strip()), "")
        told = first if len(first) < _MAX_NAME else first[:_MAX_NAME] + "..."
        raise TableRefused(
            f"no column holds addresses: the first line must name the columns, one email; it is {told!r}"
        )
    for one in readings:
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
            told = f"no heading: column {one.email + 1} is read as email, the other as name"
            return _list_layout(one.delimiter, one.rows[0][0] - 1, columns, told)
    email = Column(heading="", meaning="email", attribute=None, ignored=False)
    told = "no heading: each line is read as an address, or Name <address>"
    return _list_layout(None, readings[0].rows[0][0] - 1, (email,), told)


def _list_layout(delimiter: str | None, begins_after: int, columns: tuple[Column, ...], told: str) -> TableLayout:
    return TableLayout(
        delimiter=delimiter, heading_ends_at=begins_after, columns=columns, own_export=False, guessed=(told,)
    )
