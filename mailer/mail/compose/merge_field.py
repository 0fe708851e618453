"""Merge fields, `{{ name or "there" }}`: the places in a campaign file where a value of the recipient goes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from urllib.parse import quote

from mailer.errors import CampaignFileRefused
from mailer.mail.markdown.line_breaking import display_width

LONGEST_VALUE = 200
"""Characters of a value that go into a letter; the rest is cut off."""
_LONGEST_LIST = 2000
"""Characters of a value that expressions see: it may be a list, which they split."""
_MERGE_FIELD = re.compile(r"""\{\{[ \t]*([^\W\d]\w*)[ \t]+or[ \t]+(?:"([^"{}\n]*)"|'([^'{}\n]*)')[ \t]*\}\}""")
_WITHOUT_FALLBACK = re.compile(r"\{\{[ \t]*([^\W\d]\w*)[ \t]*\}\}")
_BRACES = re.compile(r"\{\{|\}\}|\{%|%\}")
_PLACEHOLDER = re.compile(r"slot([0-9a-f]{8})[tu](\d+)x")
# Controls, line separators, bidirectional overrides, lone surrogates: none may reach a letter.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class EscapeContext(StrEnum):
    """Where a merge field stands; this decides how its value is escaped."""

    TEXT = "text"
    HTML = "html"
    """Text or a quoted attribute."""
    URL = "url"
    """Path, query or fragment of a link, in either part."""


@dataclass(frozen=True, slots=True)
class MergeField:
    """The name of a recipient's value, and the fallback if it is not known."""

    name: str
    fallback: str

    def value_for(self, values: Mapping[str, str]) -> str:
        """The recipient's value, on one line, or the fallback if it is missing or empty."""
        return clean_value(values.get(self.name, "")) or self.fallback


@dataclass(frozen=True, slots=True)
class Slot:
    """A merge field in its context: where a value goes in a composed letter."""

    merge_field: MergeField
    context: EscapeContext


LEAVE_TOKEN = MergeField("leave token", "")
VIEW_TOKEN = MergeField("view token", "")
"""The service's own merge fields; no campaign file can spell a name with a space."""


def escape_value(value: str, context: EscapeContext) -> str:
    """`value` escaped for its context."""
    if context is EscapeContext.HTML:
        return escape(value)
    return quote(value, safe="") if context is EscapeContext.URL else value


def clean_value(value: str) -> str:
    """`value` on one line, without characters that could break a letter, cut to LONGEST_VALUE characters."""
    return clean_text(value).strip()[:LONGEST_VALUE].rstrip()


def clean_text(value: str) -> str:
    """`value` on one line, without characters that could break a letter, cut to 2000 characters."""
    value = value[:_LONGEST_LIST]
    return value if value.isprintable() else _UNSAFE.sub(" ", value)


def find_merge_fields(text: str, line: int) -> tuple[MergeField, ...]:
    """The merge fields in `text`, in order; `line` is the line of the file on which `text` begins.

    Raises CampaignFileRefused, with the line, for any other use of double braces.
    """
    rest = _MERGE_FIELD.sub(lambda match: "." * len(match[0]), text)
    refuse_missing_fallback(text, line)
    if braces := _BRACES.search(rest):
        line += rest.count("\n", 0, braces.start())
        raise CampaignFileRefused(
            f'{braces[0]} is not plain text; a merge field looks like {{{{ name or "there" }}}}', line
        )
    return tuple(_to_merge_field(match) for match in _MERGE_FIELD.finditer(text))


def list_merge_fields(text: str) -> tuple[MergeField, ...]:
    """The merge fields in `text`, each once, in order, whatever else stands in double braces."""
    return tuple(dict.fromkeys(_to_merge_field(match) for match in _MERGE_FIELD.finditer(text)))


def find_missing_fallbacks(text: str, line: int) -> list[CampaignFileRefused]:
    """One error for each merge field without a fallback, with its line, unless `text` has conditions."""
    found: list[CampaignFileRefused] = []
    for match in _WITHOUT_FALLBACK.finditer(text if "{%" not in text else ""):
        try:
            refuse_missing_fallback(match[0], line + text.count("\n", 0, match.start()))
        except CampaignFileRefused as refusal:
            found.append(refusal)
    return found


def mask_missing_fallbacks(text: str) -> str:
    """`text` with dots instead of its merge fields without a fallback."""
    return _WITHOUT_FALLBACK.sub(lambda match: "." * len(match[0]), text)


def has_dynamic_content(text: str) -> bool:
    """Whether `text` has conditions, loops or expressions, and so is evaluated for each recipient."""
    rest = _MERGE_FIELD.sub("", text)
    return "{%" in rest or "{{" in rest


def refuse_missing_fallback(text: str, line: int) -> None:
    """Raise CampaignFileRefused for a merge field without a fallback, unless `text` has conditions that may test it."""
    field = None if "{%" in text else _WITHOUT_FALLBACK.search(text)
    if field:
        name, fallback = field[1], "there" if field[1] == "name" else "..."
        raise CampaignFileRefused(
            f'{field[0]} lacks a fallback for readers without a value: write {{{{ {name} or "{fallback}" }}}}',
            line + text.count("\n", 0, field.start()),
        )


def merge_fields_as_expressions(text: str) -> str:
    """`text` with backslashes in fallbacks escaped, so that its merge fields mean the same in a Jinja expression."""
    return _MERGE_FIELD.sub(lambda match: match[0].replace("\\", "\\\\"), text)


def fill_with_fallbacks(text: str) -> str:
    """`text` as a reader without any values gets it."""
    return _MERGE_FIELD.sub(lambda match: _to_merge_field(match).fallback, text)


def mark_placeholders_for_url(url: str) -> str:
    """The URL with its placeholders marked as standing in a URL, so that values are percent-encoded."""
    return _PLACEHOLDER.sub(r"slot\1u\2x", url)


def hide_placeholders(text: str) -> str:
    """`text` for an error message: placeholders look like merge fields again."""
    return _PLACEHOLDER.sub("{{ ... }}", text)


def merged_display_width(text: str) -> int:
    """The approximate display width of `text` after its placeholders are replaced by values."""
    return display_width(_PLACEHOLDER.sub("friend", text))


@dataclass(frozen=True, slots=True)
class Placeholders:
    """Placeholders for merge fields: letters and digits only, so that Markdown and CSS inlining leave them whole."""

    stem: str
    merge_fields: tuple[MergeField, ...]

    @classmethod
    def for_text(cls, text: str, merge_fields: tuple[MergeField, ...]) -> Placeholders:
        """Placeholders that cannot occur in `text`: their stem is derived from its SHA-256 hash."""
        return cls(f"slot{hashlib.sha256(text.encode()).hexdigest()[:8]}", (*merge_fields, VIEW_TOKEN, LEAVE_TOKEN))

    @property
    def leave_token(self) -> str:
        return f"{self.stem}u{len(self.merge_fields) - 1}x"

    @property
    def view_token(self) -> str:
        return f"{self.stem}u{len(self.merge_fields) - 2}x"

    def insert_placeholders(self, text: str) -> str:
        """`text` with its merge fields replaced by placeholders."""
        return _MERGE_FIELD.sub(lambda match: self.for_index(self.merge_fields.index(_to_merge_field(match))), text)

    def for_index(self, index: int) -> str:
        """The placeholder for the merge field at this index of `merge_fields`."""
        return f"{self.stem}t{index}x"

    def split_at_placeholders(self, text: str, context: EscapeContext) -> Iterator[str | Slot]:
        """The pieces of `text`: literal texts and slots in turns. Slots that are not in a URL have `context`."""
        pieces = re.split(rf"{self.stem}([tu])(\d+)x", text)
        yield pieces[0]
        for kind, index, literal in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            yield Slot(self.merge_fields[int(index)], EscapeContext.URL if kind == "u" else context)
            yield literal


def _to_merge_field(match: re.Match[str]) -> MergeField:
    return MergeField(match[1], clean_text(match[2] if match[2] is not None else match[3]))
