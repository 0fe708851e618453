"""The column in which phpList's export names the lists of a person, one after the other with blanks between them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ReadOptions
from mailer.importers.headed_table import TableCells, open_headed_table
from mailer.importers.source_files import SourceFile

_LIST_WORD = re.compile(r"list|lijst|рассыл|спис|قوائم|القائمة|列表|清单")
_NO_LISTS = "no lists"
_MOST_SHOWN, _MOST_KNOWN = 10, 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ListMembers:
    """Who of a table is on the list that is moved."""

    is_member: Callable[[TableCells], bool]
    guessed: tuple[str, ...] = ()


def membership_column(keys: Sequence[str], core: Collection[str]) -> str | None:
    """The column that names lists, whose heading is translated: the last with a word for lists in it, or the last.

    It is none of phpList's `core` columns; None where it is missing.
    """
    named = next((key for key in reversed(keys) if key not in core and _LIST_WORD.search(key)), keys[-1])
    return named if named not in core else None


def find_members(file: SourceFile, column: str, options: ReadOptions) -> ListMembers:
    """Find who is on the list that `options` names, or on the only one.

    Raises TableRefused where people are on several lists and none
    is named, and where nobody is on the one that is.
    """
    found = _count_memberships(file, column, options)
    if options.source_list is None:
        if len(found) > 1:
            there = "; ".join(repr(one) for one, _ in found.most_common(_MOST_SHOWN))
            raise TableRefused(
                f"{file.base_name}: its people are on {there}: say the name of the list to move with --source-list"
            )
        return ListMembers(is_member=lambda cells: _lists(cells, column) in found)
    wanted = f" {_one_line(options.source_list)} "
    if not any(wanted in f" {one} " for one in found):
        there = "; ".join(repr(one) for one, _ in found.most_common(_MOST_SHOWN)) or "none"
        raise TableRefused(f"{file.base_name}: nobody is on {options.source_list!r}; people are on: {there}")
    longer = sorted(one for one in found if wanted in f" {one} " and f" {one} " != wanted)
    guessed = tuple(
        f"whoever is on {one!r} is on {options.source_list!r}: names with blanks cannot be told apart"
        for one in longer[:1]
    )
    return ListMembers(is_member=lambda cells: wanted in f" {_lists(cells, column)} ", guessed=guessed)


def _count_memberships(file: SourceFile, column: str, options: ReadOptions) -> Counter[str]:
    """How often each text of the column occurs, but for who is on no list."""
    found = Counter[str]()
    for _, cells in open_headed_table(file, ("email",), encoding=options.encoding).rows:
        lists = "" if isinstance(cells, BadRow) else _lists(cells, column)
        if lists and (lists in found or len(found) < _MOST_KNOWN):
            found[lists] += 1
    return found


def _lists(cells: TableCells, column: str) -> str:
    lists = _one_line(cells[column])
    return "" if lists == _NO_LISTS else lists


def _one_line(text: str) -> str:
    return " ".join(text.casefold().split())
