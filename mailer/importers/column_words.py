"""The meaning of headings of people tables, and which of them may say who unsubscribed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mailer.mail.message.normalize_text import normalize_text

_FILE = Path(__file__).with_name("column_words.toml")
_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnWords:
    """The words of column_words.toml, normalised."""

    meanings: Mapping[str, str]
    """Normalised heading -> our column: email, name, first_name, last_name, language or zone."""
    state_words: frozenset[str]
    """Words of headings whose columns say who may be mailed."""
    state_parts: tuple[str, ...]
    """The same, as parts of a heading written without blanks."""
    yes: frozenset[str]
    no: frozenset[str]
    """Cells that are a yes, and a no."""
    flags: frozenset[str]
    """These, and other words that are no name."""
    file_parts: tuple[str, ...]
    """Parts of the names of files that hold unsubscribed people."""


def normalize_heading(heading: str) -> str:
    """Normalise a heading to casefolded words: "Status_der-Gruppe" and "statusDerGruppe" become equal."""
    return " ".join(_WORD.findall(normalize_text(_CAMEL_CASE.sub(" ", heading))))


def normalize_word(cell: str) -> str:
    """Normalise a cell as `normalize_heading` does; a cell without letters and digits, like a tick, stays as it is."""
    return normalize_heading(cell) or cell.strip()


def column_for_heading(heading: str) -> str | None:
    """Which of our columns a heading names: email, name, first_name, last_name, language or zone; None for others."""
    return _load_words().meanings.get(normalize_heading(heading))


def is_state_heading(heading: str) -> bool:
    """Whether the column under a heading may say who subscribed, unsubscribed, agreed or bounced."""
    words = normalize_heading(heading)
    return _has_word(words, _load_words().state_words) or _has_part(words, _load_words().state_parts)


def is_departed_file_name(file_name: str) -> bool:
    """Whether a file's name says that the people in it unsubscribed or bounced."""
    return _has_part(normalize_heading(file_name), _load_words().file_parts)


def read_flag(cell: str) -> bool | None:
    """Whether a cell is a yes, or a no; None for any other."""
    words, known = normalize_word(cell), _load_words()
    return True if words in known.yes else False if words in known.no else None


def is_flag(cell: str) -> bool:
    """Whether a cell is a yes or no."""
    return normalize_word(cell) in _load_words().flags


def _has_word(words: str, known: Collection[str]) -> bool:
    padded = f" {words} "
    return any(f" {word} " in padded for word in known)


def _has_part(words: str, known: Collection[str]) -> bool:
    joined = words.replace(" ", "")
    return any(part in joined for part in known)


@cache
def _load_words() -> ColumnWords:
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    yes, no, others = (frozenset(map(normalize_word, table["flags"][one])) for one in ("yes", "no", "others"))
    return ColumnWords(
        meanings={
            normalize_heading(heading): name for name, headings in table["means"].items() for heading in headings
        },
        state_words=frozenset(map(normalize_heading, table["state"]["words"])),
        state_parts=_normalize_parts(table["state"]["parts"]),
        yes=yes,
        no=no,
        flags=yes | no | others,
        file_parts=_normalize_parts(table["file"]["parts"]),
    )


def _normalize_parts(parts: Collection[str]) -> tuple[str, ...]:
    return tuple(normalize_heading(part).replace(" ", "") for part in parts)
