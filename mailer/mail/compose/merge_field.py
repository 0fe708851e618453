"""A hole: the place in an organiser's text where a word about the reader goes, `{{ name or "there" }}`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from urllib.parse import quote

from mailer.errors import ManuscriptRefused
from mailer.mail.compose.line_breaking import display_width

LONGEST_VALUE = 200
"""Characters of a reader's value that go into a letter; the rest is cut."""
_LONGEST_LIST = 2000
"""Characters of a reader's value that a manuscript's expressions get to see: it may be a list, cut up by them."""
_HOLE = re.compile(r"""\{\{[ \t]*([^\W\d]\w*)[ \t]+or[ \t]+(?:"([^"{}\n]*)"|'([^'{}\n]*)')[ \t]*\}\}""")
_LONE = re.compile(r"\{\{[ \t]*([^\W\d]\w*)[ \t]*\}\}")
_BRACES = re.compile(r"\{\{|\}\}|\{%|%\}")
_MARK = re.compile(r"hole([0-9a-f]{8})[tu](\d+)x")
# Controls, line separators, overrides of the writing direction, halves of surrogate pairs: none may reach a letter.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Context(StrEnum):
    """Where a hole stands, which decides how its value is escaped."""

    TEXT = "text"
    HTML = "html"
    """Text or a quoted attribute."""
    URL = "url"
    """Path, query or fragment of a link, in either part."""


@dataclass(frozen=True, slots=True)
class Hole:
    """What a reader is asked for, and the word for those of whom we do not know it."""

    name: str
    fallback: str

    def word(self, values: Mapping[str, str]) -> str:
        """The reader's value, on one line, or the fallback."""
        return fit(values.get(self.name, "")) or self.fallback


@dataclass(frozen=True, slots=True)
class Slot:
    """A hole in its context: one place of a finished letter."""

    hole: Hole
    context: Context


LEAVE_TOKEN = Hole("leave token", "")
"""The service's own hole; no manuscript can spell a name with a space."""


def escaped(word: str, context: Context) -> str:
    """`word` as it is written where it stands."""
    if context is Context.HTML:
        return escape(word)
    return quote(word, safe="") if context is Context.URL else word


def fit(value: str) -> str:
    """`value` without characters that could break a letter, and no longer than LONGEST_VALUE."""
    return clean(value).strip()[:LONGEST_VALUE].rstrip()


def clean(value: str) -> str:
    """`value` on one line, without characters that could break a letter, cut where nobody would read on."""
    value = value[:_LONGEST_LIST]
    return value if value.isprintable() else _UNFIT.sub(" ", value)


def find_holes(text: str, line: int) -> tuple[Hole, ...]:
    """The holes in `text`, in order; ManuscriptRefused for any other use of double braces.

    `line` is that of the text's beginning.
    """
    rest = _HOLE.sub(lambda match: "." * len(match[0]), text)
    refuse_lone(text, line)
    if stray := _BRACES.search(rest):
        line += rest.count("\n", 0, stray.start())
        raise ManuscriptRefused(f'{stray[0]} is not plain text; a hole looks like {{{{ name or "there" }}}}', line)
    return tuple(_hole(match) for match in _HOLE.finditer(text))


def is_script(text: str) -> bool:
    """Whether `text` has conditions, loops or expressions: it is evaluated for each person."""
    rest = _HOLE.sub("", text)
    return "{%" in rest or "{{" in rest


def refuse_lone(text: str, line: int) -> None:
    """ManuscriptRefused for a hole without the word for readers without one, unless conditions may see to it."""
    lone = None if "{%" in text else _LONE.search(text)
    if lone:
        name, word = lone[1], "there" if lone[1] == "name" else "..."
        raise ManuscriptRefused(
            f'{lone[0]} lacks the word for readers without one: write {{{{ {name} or "{word}" }}}}',
            line + text.count("\n", 0, lone.start()),
        )


def as_expressions(text: str) -> str:
    """`text` with holes that mean in a script what they mean outside of it."""
    return _HOLE.sub(lambda match: match[0].replace("\\", "\\\\"), text)


def fill_with_fallbacks(text: str) -> str:
    """`text` as a reader of whom we know nothing gets it."""
    return _HOLE.sub(lambda match: _hole(match).fallback, text)


def in_url(url: str) -> str:
    """A link destination whose marks ask for percent-encoding."""
    return _MARK.sub(r"hole\1u\2x", url)


def without_marks(text: str) -> str:
    """`text` fit to be shown in a message: marks look like holes again."""
    return _MARK.sub("{{ ... }}", text)


def columns(text: str) -> int:
    """How wide `text` will be, about, once its marks have given way to words."""
    return display_width(_MARK.sub("friend", text))


@dataclass(frozen=True, slots=True)
class Marks:
    """Stand-ins for holes, of letters and digits only, so that they come through Markdown and style inlining whole."""

    stem: str
    holes: tuple[Hole, ...]

    @classmethod
    def of(cls, text: str, holes: tuple[Hole, ...]) -> Marks:
        """Marks that cannot stand in `text`: they are made of its hash."""
        return cls(f"hole{hashlib.sha256(text.encode()).hexdigest()[:8]}", (*holes, LEAVE_TOKEN))

    @property
    def leave_token(self) -> str:
        return f"{self.stem}u{len(self.holes) - 1}x"

    def mark(self, text: str) -> str:
        """`text` with a mark for each hole."""
        return _HOLE.sub(lambda match: self.of_word(self.holes.index(_hole(match))), text)

    def of_word(self, place: int) -> str:
        """The mark for the hole at `place`."""
        return f"{self.stem}t{place}x"

    def cut(self, text: str, context: Context) -> Iterator[str | Slot]:
        """`text` cut at its marks; those that do not stand in a link are of `context`."""
        pieces = re.split(rf"{self.stem}([tu])(\d+)x", text)
        yield pieces[0]
        for kind, index, literal in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            yield Slot(self.holes[int(index)], Context.URL if kind == "u" else context)
            yield literal


def _hole(match: re.Match[str]) -> Hole:
    return Hole(match[1], clean(match[2] if match[2] is not None else match[3]))
