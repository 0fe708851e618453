"""Columns of a table of people: what each heading means, and the refusal of columns that say who unsubscribed."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from mailer.errors import TableRefused
from mailer.importers.column_words import column_for_heading, is_state_heading, normalize_heading
from mailer.importers.person_row import ATTRIBUTE_PREFIX, PERSON_COLUMNS, STATE_COLUMNS

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MAX_NAME = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a table."""

    heading: str
    meaning: str | None
    """Which of our columns it is; first_name and last_name make a name where there is no name."""
    attribute: str | None
    """The name of the attribute that its cells become; None for no attribute."""
    ignored: bool


def parse_columns(headings: list[str], email: int, ignored: set[str], *, own_export: bool) -> list[Column]:
    """The columns under these headings; `email` is the index of the addresses, `ignored` are headings to leave out.

    An export of ours has only our column names; other headings become attributes. TableRefused for duplicates.
    """
    meanings = {"email": email}
    for index, heading in enumerate(headings):
        ours = heading if heading in (*PERSON_COLUMNS, *STATE_COLUMNS) else None
        meaning = ours if own_export else column_for_heading(heading)
        if meaning and meaning not in meanings and heading not in ignored:
            meanings[meaning] = index
    if "first_name" in meanings and "last_name" not in meanings and _is_last_name(headings, meanings.get("name")):
        meanings["last_name"] = meanings.pop("name")
    meaning_at = {index: meaning for meaning, index in meanings.items()}
    columns: list[Column] = []
    for index, heading in enumerate(headings):
        meaning = meaning_at.get(index)
        is_ignored = heading in ignored and index != email
        is_ours = meaning in {*PERSON_COLUMNS, *STATE_COLUMNS}
        if own_export and heading.startswith(ATTRIBUTE_PREFIX) and not is_ignored:
            attribute: str | None = heading.removeprefix(ATTRIBUTE_PREFIX)
        else:
            attribute = None if not heading or is_ignored or is_ours else attribute_name(heading, index, meaning)
        columns.append(Column(heading=heading, meaning=meaning, attribute=attribute, ignored=is_ignored))
    _refuse_duplicates(columns)
    return columns


def find_ignored_headings(headings: list[str], names: Collection[str]) -> set[str]:
    """Find the headings to ignore by their names, however written. TableRefused where there is no such column."""
    by_name = {_joined_heading(heading): heading for heading in headings}
    for name in names:
        if _joined_heading(name) not in by_name:
            raise TableRefused(f"no column is called {name!r}; there are: {', '.join(filter(None, headings))}")
    return {by_name[_joined_heading(name)] for name in names}


def refuse_state_columns(columns: list[Column]) -> None:
    """Raise TableRefused where columns may say who unsubscribed; it names them and the options that ignore them."""
    refused = [one.heading for one in columns if is_state_heading(one.heading)]
    if not refused:
        return
    which = ", ".join(map(repr, refused))
    options = " ".join(f"--ignore-column {_shell_quote(one)}" for one in refused)
    raise TableRefused(
        f"nobody is imported: {which} may say who left, never agreed or cannot be reached, which is not read here. "
        f"Take those people out of the table, then import the rest with {options}. "
        "(Is it about something else? Then give the column another name.)"
    )


def _joined_heading(heading: str) -> str:
    return normalize_heading(heading).replace(" ", "")


def _is_last_name(headings: list[str], index: int | None) -> bool:
    """Whether a "name" beside a first name means the last name, as in "Vorname; Name"."""
    return index is not None and normalize_heading(headings[index]) in {"name", "nom", "naam"}


def attribute_name(heading: str, index: int, meaning: str | None) -> str:
    """The attribute's name: the heading in [a-z0-9_], or `column_N` where it cannot be written so."""
    if "\0" in heading:
        raise TableRefused(f"column {index + 1} has a heading that is no text")
    name = normalize_heading(heading).replace(" ", "_")[:_MAX_NAME].strip("_")
    if not _NAME.fullmatch(name):
        return f"column_{index + 1}"
    return (meaning or f"{name}_2") if name in {*PERSON_COLUMNS, *STATE_COLUMNS} else name


def _refuse_duplicates(columns: list[Column]) -> None:
    for names in (
        [normalize_heading(one.heading) for one in columns if one.heading],
        [one.attribute for one in columns],
    ):
        for name in names:
            if name and names.count(name) > 1:
                raise TableRefused(f"two columns are called {name!r}")


def _shell_quote(word: str) -> str:
    return word if re.fullmatch(r"[\w.-]+", word) else "'" + word.replace("'", "'\\''") + "'"
