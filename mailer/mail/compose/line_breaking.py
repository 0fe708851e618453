"""Where a line of plain text may end, and how wide it is: also in scripts that write without spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Nothing below it is wide (Unicode Standard Annex 11), so that most texts need no look at each character.
_FIRST_WIDE = "\u1100"
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")
_URL = re.compile(r"https?://[^\s，。；：！？、（）「」『』《》【】]+")
_OPENING_CATEGORIES = {"Ps", "Pi"}
# Closing and other punctuation, dashes, marks on the letter before, joiners, skin colours, signs that lengthen a sound.
_NEVER_FIRST_CATEGORIES = {"Pe", "Pf", "Po", "Pd", "Mn", "Mc", "Me", "Cf", "Sk", "Lm"}


def display_width(text: str) -> int:
    """The columns `text` takes: two for a wide character, none for a mark on another (Unicode Standard Annex 11)."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def split_at_break_points(word: str) -> Iterator[str]:
    """`word`, which has no spaces, cut wherever a line may end: beside Chinese and Japanese signs, but not in a URL.

    A line begins with no closing mark and ends with no opening one, as in Unicode Standard Annex 14; Korean has spaces.
    """
    if max(word, default="") < _FIRST_WIDE:
        yield word
        return
    inside_url = {at for url in _URL.finditer(word) for at in range(url.start() + 1, url.end())}
    begin = 0
    for at in range(1, len(word)):
        if at not in inside_url and _may_break(word[at - 1], word[at]):
            yield word[begin:at]
            begin = at
    yield word[begin:]


def is_unspaced(character: str) -> bool:
    """Whether no spaces part words in its script, as in Chinese; so with emoji, but not with Korean."""
    return bool(character) and unicodedata.east_asian_width(character) in "WF" and not _HANGUL.match(character)


def _character_width(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in {"Mn", "Me", "Cf"} else 1


def _may_break(before: str, after: str) -> bool:
    if not (is_unspaced(before) or is_unspaced(after)):
        return False
    # A zero width joiner makes one picture of two.
    joined = before == "\u200d" or unicodedata.category(after) in _NEVER_FIRST_CATEGORIES
    return not joined and unicodedata.category(before) not in _OPENING_CATEGORIES
