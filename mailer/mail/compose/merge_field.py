"""A hole: the place in an organiser's text where a word about the reader goes, `{{ name or "there" }}`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from urllib.parse import quote

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.line_breaking import display_width

LONGEST_VALUE = 200
"""Characters of a reader's value that go into a letter; the rest is cut."""
_LONGEST_LIST = 2000
"""Characters of a reader's value that a manuscript's expressions get to see: it may be a list, cut up by them."""
_MERGE_FIELD = re.compile(r"""\{\{[ \t]*([^\W\d]\w*)[ \t]+or[ \t]+(?:"([^"{}\n]*)"|'([^'{}\n]*)')[ \t]*\}\}""")
_WITHOUT_FALLBACK = re.compile(r"\{\{[ \t]*([^\W\d]\w*)[ \t]*\}\}")
_BRACES = re.compile(r"\{\{|\}\}|\{%|%\}")
_PLACEHOLDER = re.compile(r"hole([0-9a-f]{8})[tu](\d+)x")
# Controls, line separators, overrides of the writing direction, halves of surrogate pairs: none may reach a letter.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class EscapeContext(StrEnum):
    """Where a hole stands, which decides how its value is escaped."""

    TEXT = "text"
    HTML = "html"
    """Text or a quoted attribute."""
    URL = "url"
    """Path, query or fragment of a link, in either part."""


@dataclass(frozen=True, slots=True)
class MergeField:
    """What a reader is asked for, and the word for those of whom we do not know it."""

    name: str
    fallback: str

    def value_for(self, values: Mapping[str, str]) -> str:
        """The reader's value, on one line, or the fallback."""
        return clean_value(values.get(self.name, "")) or self.fallback


@dataclass(frozen=True, slots=True)
class Slot:
    """A hole in its context: one place of a finished letter."""

    merge_field: MergeField
    context: EscapeContext


LEAVE_TOKEN = MergeField("leave token", "")
"""The service's own hole; no manuscript can spell a name with a space."""


def escape_value(value: str, context: EscapeContext) -> str:
    """`word` as it is written where it stands."""
    if context is EscapeContext.HTML:
        return escape(value)
    return quote(value, safe="") if context is EscapeContext.URL else value


def clean_value(value: str) -> str:
    """`value` without characters that could break a letter, and no longer than LONGEST_VALUE."""
    return clean_text(value).strip()[:LONGEST_VALUE].rstrip()


def clean_text(value: str) -> str:
    """`value` on one line, without characters that could break a letter, cut where nobody would read on."""
    value = value[:_LONGEST_LIST]
    return value if value.isprintable() else _UNSAFE.sub(" ", value)


def find_merge_fields(text: str, line: int) -> tuple[MergeField, ...]:
    """The holes in `text`, in order; ManuscriptRefused for any other use of double braces.

    `line` is that of the text's beginning.
    """
    rest = _MERGE_FIELD.sub(lambda match: "." * len(match[0]), text)
    refuse_missing_fallback(text, line)
    if braces := _BRACES.search(rest):
        line += rest.count("\n", 0, braces.start())
        raise CampaignFileRefused(f'{braces[0]} is not plain text; a hole looks like {{{{ name or "there" }}}}', line)
    return tuple(_to_merge_field(match) for match in _MERGE_FIELD.finditer(text))


def has_dynamic_content(text: str) -> bool:
    """Whether `text` has conditions, loops or expressions: it is evaluated for each person."""
    rest = _MERGE_FIELD.sub("", text)
    return "{%" in rest or "{{" in rest


def refuse_missing_fallback(text: str, line: int) -> None:
    """ManuscriptRefused for a hole without the word for readers without one, unless conditions may see to it."""
    field = None if "{%" in text else _WITHOUT_FALLBACK.search(text)
    if field:
        name, word = field[1], "there" if field[1] == "name" else "..."
        raise CampaignFileRefused(
            f'{field[0]} lacks the word for readers without one: write {{{{ {name} or "{word}" }}}}',
            line + text.count("\n", 0, field.start()),
        )


def merge_fields_as_expressions(text: str) -> str:
    """`text` with holes that mean in a script what they mean outside of it."""
    return _MERGE_FIELD.sub(lambda match: match[0].replace("\\", "\\\\"), text)


def fill_with_fallbacks(text: str) -> str:
    """`text` as a reader of whom we know nothing gets it."""
    return _MERGE_FIELD.sub(lambda match: _to_merge_field(match).fallback, text)


def mark_placeholders_for_url(url: str) -> str:
    """A link destination whose marks ask for percent-encoding."""
    return _PLACEHOLDER.sub(r"hole\1u\2x", url)


def hide_placeholders(text: str) -> str:
    """`text` fit to be shown in a message: marks look like holes again."""
    return _PLACEHOLDER.sub("{{ ... }}", text)


def merged_display_width(text: str) -> int:
    """How wide `text` will be, about, once its marks have given way to words."""
    return display_width(_PLACEHOLDER.sub("friend", text))


@dataclass(frozen=True, slots=True)
class Placeholders:
    """Stand-ins for holes, of letters and digits only, so that they come through Markdown and style inlining whole."""

    stem: str
    merge_fields: tuple[MergeField, ...]

    @classmethod
    def for_text(cls, text: str, holes: tuple[MergeField, ...]) -> Placeholders:
        """Marks that cannot stand in `text`: they are made of its hash."""
        return cls(f"hole{hashlib.sha256(text.encode()).hexdigest()[:8]}", (*holes, LEAVE_TOKEN))

    @property
    def leave_token(self) -> str:
        return f"{self.stem}u{len(self.merge_fields) - 1}x"

    def insert_placeholders(self, text: str) -> str:
        """`text` with a mark for each hole."""
        return _MERGE_FIELD.sub(lambda match: self.for_index(self.merge_fields.index(_to_merge_field(match))), text)

    def for_index(self, index: int) -> str:
        """The mark for the hole at `place`."""
        return f"{self.stem}t{index}x"

    def split_at_placeholders(self, text: str, context: EscapeContext) -> Iterator[str | Slot]:
        """`text` cut at its marks; those that do not stand in a link are of `context`."""
        pieces = re.split(rf"{self.stem}([tu])(\d+)x", text)
        yield pieces[0]
        for kind, index, literal in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            yield Slot(self.merge_fields[int(index)], EscapeContext.URL if kind == "u" else context)
            yield literal


def _to_merge_field(match: re.Match[str]) -> MergeField:
    return MergeField(match[1], clean_text(match[2] if match[2] is not None else match[3]))
