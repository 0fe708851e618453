"""Line breaking and display width of plain text, also in scripts written without spaces (Chinese, Japanese)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

WIDTH = 72
"""Columns of a line of plain text."""
_MIN_WIDTH = 20
# No character below it is wide (Unicode Standard Annex 11), so most texts need no look at each character.
_FIRST_WIDE = "\u1100"
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")
_URL = re.compile(r"https?://[^\s，。；：！？、（）「」『』《》【】]+")
_WORD = re.compile(r"[^ \t]+")
_OPENING_CATEGORIES = {"Ps", "Pi"}
# Closing and other punctuation, dashes, combining marks, joiners, skin colours, signs that lengthen a sound.
_NEVER_FIRST_CATEGORIES = {"Pe", "Pf", "Po", "Pd", "Mn", "Mc", "Me", "Cf", "Sk", "Lm"}


def display_width(text: str) -> int:
    """The columns of `text`: 2 for each wide character, 0 for each combining mark (Unicode Standard Annex 11)."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def wrap(text: str, width: int = WIDTH, columns: Callable[[str], int] = display_width) -> str:
    """`text` in lines of at most `width` columns, with its own line ends kept; `columns` measures a piece of text.

    A word that is longer than a line stays whole. A `width` under 20 counts as 20.
    """
    return "\n".join(_wrap_lines(text, width, columns))


def underline(text: str, stroke: str, width: int = WIDTH, columns: Callable[[str], int] = display_width) -> str:
    """`text` wrapped, and below it a line of `stroke`s as wide as the longest line; empty for an empty text."""
    if not text:
        return ""
    lines = _wrap_lines(text, width, columns)
    return "\n".join((*lines, stroke * min(max(map(columns, lines)), width)))


def split_at_break_points(word: str) -> Iterator[str]:
    """The pieces of `word`, which has no spaces, between the points where a line may end.

    A line may end beside a Chinese or Japanese character, but not inside a URL. No line begins with a closing mark or
    ends with an opening one (Unicode Standard Annex 14). Korean separates words by spaces.
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
    """Whether the character belongs to a script without spaces between words (Chinese, Japanese) or is an emoji."""
    return bool(character) and unicodedata.east_asian_width(character) in "WF" and not _HANGUL.match(character)


def _wrap_lines(text: str, width: int, columns: Callable[[str], int]) -> list[str]:
    return [piece for line in text.split("\n") for piece in _wrap_line(line, max(width, _MIN_WIDTH), columns)]


def _wrap_line(line: str, width: int, columns: Callable[[str], int]) -> Iterator[str]:
    current = ""
    for space, piece in _split_unbreakable(line):
        if current and columns(current) + len(space) + columns(piece) > width:
            yield current
            current = piece
        else:
            current += space + piece if current else piece
    yield current


def _split_unbreakable(line: str) -> Iterator[tuple[str, str]]:
    """(separator, piece) for each piece that must stay on one line; the separator is a space or empty."""
    # Only spaces and tabs are break points: a line does not break at a no-break space.
    for word in _WORD.findall(line):
        space = " "
        for piece in split_at_break_points(word):
            yield space, piece
            space = ""


def _character_width(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in {"Mn", "Me", "Cf"} else 1


def _may_break(before: str, after: str) -> bool:
    if not (is_unspaced(before) or is_unspaced(after)):
        return False
    # A zero width joiner combines two emoji into one.
    joined = before == "\u200d" or unicodedata.category(after) in _NEVER_FIRST_CATEGORIES
    return not joined and unicodedata.category(before) not in _OPENING_CATEGORIES
