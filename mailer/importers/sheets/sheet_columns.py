"""What the columns of any spreadsheet mean: as the organiser says, else as their headings say in ten languages."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mailer.errors import TableRefused
from mailer.importers.column_words import is_departed_file_name
from mailer.importers.export_format import ReadOptions
from mailer.importers.person_row import PERSON_COLUMNS
from mailer.importers.sheets.sheet_states import says_something
from mailer.importers.state_words import AGREEING, DEPARTING, STATE_SAYING, StateHeading, state_heading
from mailer.importers.table_candidates import TableCandidate
from mailer.importers.table_columns import Column, find_headings, may_say_state, parse_columns
from mailer.importers.table_layout import is_own_export

MOST_COLUMNS = 500
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_STATE = "state"
_DAYS = {
    "agreed_at": StateHeading.AGREED_AT,
    "confirmed_at": StateHeading.AGREED_AT,
    "since": StateHeading.SINCE,
    "changed_at": StateHeading.SINCE,
}
_NAMES = {"first_name", "last_name"}
_DESCRIPTIONS = {
    StateHeading.AGREED_AT: "is read as the day on which they agreed",
    StateHeading.SINCE: "is read as the day on which they joined",
}


def assign_sheet_columns(candidate: TableCandidate, options: ReadOptions) -> list[Column]:
    """What the columns of a table mean: first those that the table has, then those that are made of several of them.

    Raises TableRefused where an option names a column that there is not, and where one may say who agreed, or not.
    """
    headings = candidate.headings
    if len(headings) > MOST_COLUMNS:
        raise TableRefused(f"has {len(headings)} columns, more than {MOST_COLUMNS}")
    ignored = find_headings(headings, sorted(options.ignored))
    if is_own_export(headings) and not options.columns:
        return parse_columns(headings, candidate.email, ignored, own_export=True)
    named = {our: find_headings(headings, theirs) for our, theirs in options.columns.items()}
    email = named["email"][0] if "email" in named else candidate.email
    indexes = [index for found in named.values() for index in found]
    missing = {*named, *(_NAMES if "name" in named else ())} - {"email"}
    columns = parse_columns(headings, email, ignored, own_export=False, named=indexes, missing=missing)
    guessed = [_with_state(one, _cells_below(candidate, index)) for index, one in enumerate(columns)]
    _refuse_unclear([one for index, one in enumerate(guessed) if index not in indexes])
    return _with_named(guessed, named)


def state_is_said(columns: Sequence[Column]) -> bool:
    """Whether a column says who agreed."""
    return any(one.says in AGREEING for one in columns)


def describe_state_columns(columns: Sequence[Column]) -> list[str]:
    """What was guessed about columns that say who agreed, who left, and when, as texts for people."""
    texts = []
    for one in columns:
        if one.says is None or one.named:
            continue
        if one.says in AGREEING:
            text = "says who is subscribed"
        elif one.says in DEPARTING:
            text = f"says who is {DEPARTING[one.says]}"
        else:
            text = _DESCRIPTIONS.get(one.says, "is kept in the consent record")
        texts.append(f"column {one.heading!r} {text}")
    return texts


def refuse_without_state(columns: Sequence[Column]) -> None:
    """Raise TableRefused for a table that does not say who agreed."""
    left = [repr(one.heading) for one in columns if one.says in DEPARTING]
    said = (
        f"says who left ({', '.join(left)}), but nothing about who agreed" if left else "says nothing about who agreed"
    )
    raise TableRefused(f"it {said}: --state confirmed if each of them did, --state pending if not")


def says_that_they_left(*names: str) -> bool:
    """Whether the name of a file, or of a sheet, says that the people in it left or never agreed."""
    return any(map(is_departed_file_name, names))


def _cells_below(candidate: TableCandidate, index: int) -> list[str]:
    return [cell for _, cells in candidate.below if index < len(cells) and (cell := cells[index].strip())]


def _with_state(column: Column, cells: Sequence[str]) -> Column:
    """The column with what it says of states, if its heading says that, and its first cells do not contradict."""
    if column.meaning or column.ignored or not column.heading:
        return column
    says = state_heading(column.heading)
    if says is None or (says in AGREEING and cells and not any(says_something(says, cell) for cell in cells)):
        return column
    return replace(column, says=says)


def _refuse_unclear(columns: Sequence[Column]) -> None:
    """Raise TableRefused where columns may say who agreed, in a way that is not clear."""
    unclear = [one.heading for one in columns if one.attribute and one.says is None and may_say_state(one.heading)]
    if not unclear:
        return
    first = shlex.quote(unclear[0])
    options = " ".join(f"--ignore-column {shlex.quote(one)}" for one in unclear)
    raise TableRefused(
        f"nobody is imported: {', '.join(map(repr, unclear))} may say who agreed, who left or who cannot be reached, "
        f"and it is not clear how. If it says who is subscribed: --column {_STATE}={first}. "
        f"If it is about something else, keep it under another name (--column region={first}), or leave it out: "
        f"{options}"
    )


def _with_named(columns: list[Column], named: Mapping[str, Sequence[int]]) -> list[Column]:
    """The columns with what the organiser says that they mean."""
    result = [replace(one, attribute=None) if one.says else one for one in columns]
    for index in named.get(_STATE, ()):
        known = state_heading(result[index].heading)
        says = known if known in STATE_SAYING else StateHeading.STATUS
        result[index] = replace(result[index], says=says, named=True, meaning=None, attribute=None)
    used: set[int] = set(named.get(_STATE, ()))
    added: list[Column] = []
    for our, indexes in named.items():
        if our == _STATE:
            continue
        if len(indexes) == 1 and indexes[0] not in used:
            result[indexes[0]] = _named_column(result[indexes[0]].heading, our)
        else:
            for index in set(indexes) - used:
                result[index] = replace(result[index], meaning=None, attribute=None, says=None, ignored=True)
            heading = "+".join(result[index].heading for index in indexes)
            added.append(replace(_named_column(heading, our), made_of=tuple(indexes)))
        used.update(indexes)
    return [*result, *added]


def _named_column(heading: str, our: str) -> Column:
    says = _DAYS.get(our)
    meaning = our if our in {*PERSON_COLUMNS, *_NAMES} else None
    if not meaning and not says and not _ATTRIBUTE.fullmatch(our):
        known = ", ".join(PERSON_COLUMNS)
        raise TableRefused(f"--column {our}: it must be {known}, state, since, agreed_at, or a name of a-z, 0-9 and _")
    attribute = our if not meaning and not says else None
    return Column(heading=heading, meaning=meaning, attribute=attribute, ignored=False, says=says, named=True)
