"""Columns of a table of people: what each heading means, and the refusal of columns that say who unsubscribed."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from mailer.errors import TableRefused
from mailer.importers.column_words import column_for_heading, is_state_heading, normalize_heading
from mailer.importers.person_row import ATTRIBUTE_PREFIX, PERSON_COLUMNS, STATE_COLUMNS
from mailer.importers.state_words import STATE_SAYING, StateHeading, state_heading

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MAX_NAME = 40
LAST_NAMES = frozenset({"name", "nom", "naam"})
"""Headings that mean the last name where there is a first name, too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a table."""

    heading: str
    meaning: str | None
    """Which of our columns it is; first_name and last_name make a name where there is no name."""
    attribute: str | None
    """The name of the attribute that its cells become; None for no attribute."""
    ignored: bool
    says: StateHeading | None = None
    """What it says of the state of its people, where that is read."""
    named: bool = False
    """Whether an organiser said what it means."""
    made_of: tuple[int, ...] = ()
    """Of a column that the file does not have: the indexes of those whose cells it joins."""


def parse_columns(
    headings: Sequence[str],
    email: int,
    ignored: Collection[int],
    *,
    own_export: bool,
    named: Collection[int] = (),
    missing: Collection[str] = (),
) -> list[Column]:
    """The columns under these headings; `email` is the index of the addresses, `ignored` are those to leave out.

    An export of ours has only our column names; other headings become attributes. What columns in `named` mean is known
    otherwise, and no column is guessed to mean what is in `missing`. TableRefused for a heading that is no text.
    """
    meanings = {"email": email}
    for index, heading in enumerate(headings):
        ours = heading if heading in (*PERSON_COLUMNS, *STATE_COLUMNS) else None
        meaning = ours if own_export else column_for_heading(heading)
        if meaning and meaning not in meanings and meaning not in missing and index not in {*ignored, *named}:
            meanings[meaning] = index
    if "first_name" in meanings and "last_name" not in meanings and _is_last_name(headings, meanings.get("name")):
        meanings["last_name"] = meanings.pop("name")
    meaning_at = {index: meaning for meaning, index in meanings.items()}
    columns: list[Column] = []
    for index, heading in enumerate(headings):
        meaning = meaning_at.get(index)
        is_ignored = index in ignored and index != email
        is_ours = meaning in {*PERSON_COLUMNS, *STATE_COLUMNS}
        if own_export and heading.startswith(ATTRIBUTE_PREFIX) and not is_ignored:
            attribute: str | None = heading.removeprefix(ATTRIBUTE_PREFIX)
        else:
            no_attribute = not heading or is_ignored or is_ours or index in named
            attribute = None if no_attribute else attribute_name(heading, index, meaning)
        columns.append(Column(heading=heading, meaning=meaning, attribute=attribute, ignored=is_ignored))
    return columns if own_export else _with_different_attributes(columns)


def find_headings(headings: Sequence[str], names: Iterable[str]) -> list[int]:
    """The indexes of headings by their names, however written. TableRefused where there is no such column, or two."""
    joined = [joined_heading(heading) for heading in headings]
    found = []
    for name in names:
        exact = [index for index, heading in enumerate(headings) if heading == name.strip() != ""]
        alike = exact or [index for index, one in enumerate(joined) if one == joined_heading(name) != ""]
        if not alike:
            raise TableRefused(f"no column is called {name!r}; there are: {', '.join(filter(None, headings))}")
        if len(alike) > 1:
            raise TableRefused(f"two columns are called {name!r}: give one of them another name")
        found += alike
    return found


def find_ignored_headings(headings: Sequence[str], names: Collection[str]) -> set[str]:
    """Find the headings to ignore by their names, however written. TableRefused where there is no such column."""
    return {headings[index] for index in find_headings(headings, names)}


def refuse_duplicates(headings: Iterable[str], *, own_export: bool) -> None:
    """Raise TableRefused where two headings are equal; in an export of ours those that are written alike are not."""
    counts = Counter(heading if own_export else normalize_heading(heading) for heading in headings if heading)
    for heading, count in counts.items():
        if count > 1:
            raise TableRefused(f"two columns are called {heading!r}")


def refuse_state_columns(columns: Iterable[Column]) -> None:
    """Raise TableRefused where columns may say who unsubscribed; it names them and the options that ignore them."""
    refused = [one.heading for one in columns if may_say_state(one.heading)]
    if not refused:
        return
    which = ", ".join(map(repr, refused))
    options = " ".join(f"--ignore-column {shlex.quote(one)}" for one in refused)
    raise TableRefused(
        f"nobody is imported: {which} may say who left, never agreed or cannot be reached, which is not read here. "
        "`mailer import-from` reads such columns, and keeps who left out. Or take those people out of the table, then "
        f"import the rest with {options}. "
        "(Is it about something else? Then give the column another name.)"
    )


def may_say_state(heading: str) -> bool:
    """Whether the column under a heading may say who subscribed, unsubscribed, agreed or bounced."""
    return is_state_heading(heading) or state_heading(heading) in STATE_SAYING


def describe_columns(columns: Iterable[Column]) -> list[str]:
    """What was guessed about columns, as texts for people."""
    guessed = []
    for one in columns:
        own_name = normalize_heading(one.heading).replace(" ", "_")
        if one.named:
            continue
        if one.meaning and one.meaning != own_name:
            guessed.append(f"column {one.heading!r} is read as {one.meaning}")
        elif one.attribute and one.attribute != own_name:
            guessed.append(f"column {one.heading!r} is kept as {one.attribute}")
    return guessed


def joined_heading(heading: str) -> str:
    """The heading without blanks, case and accents, by which headings are compared."""
    return normalize_heading(heading).replace(" ", "")


def attribute_name(heading: str, index: int, meaning: str | None) -> str:
    """The attribute's name: the heading in [a-z0-9_], or `column_N` where it cannot be written so."""
    if "\0" in heading:
        raise TableRefused(f"column {index + 1} has a heading that is no text")
    name = normalize_heading(heading).replace(" ", "_")[:_MAX_NAME].strip("_")
    if not _NAME.fullmatch(name):
        return f"column_{index + 1}"
    return (meaning or f"{name}_2") if name in {*PERSON_COLUMNS, *STATE_COLUMNS} else name


def _is_last_name(headings: Sequence[str], index: int | None) -> bool:
    """Whether a "name" beside a first name means the last name, as in "Vorname; Name"."""
    return index is not None and normalize_heading(headings[index]) in LAST_NAMES


def _with_different_attributes(columns: list[Column]) -> list[Column]:
    """The columns, with a number after the name of an attribute that was there before."""
    taken = Counter(one.attribute for one in columns)
    seen: Counter[str | None] = Counter()
    result = []
    for one in columns:
        name = one.attribute
        seen[name] += 1
        number = seen[name]
        while name and number > 1 and f"{name}_{number}" in taken:
            number += 1
        changed = replace(one, attribute=f"{name}_{number}") if name and number > 1 else one
        taken[changed.attribute] += 1
        result.append(changed)
    return result
