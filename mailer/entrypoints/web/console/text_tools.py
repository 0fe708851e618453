"""The tools of the writing page: what each button puts into the text; and languages by their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from babel import Locale

# Languages that a letter may be written in although pages are not: the most spoken ones of lists.
_MORE_LANGUAGES = ("bg", "cs", "da", "el", "fa", "fi", "he", "hi", "hr", "hu", "ja", "ko", "ku", "nl", "pl", "ro", "sr")
_LATE_LANGUAGES = ("sk", "sl", "sq", "sv", "uk", "ur", "vi")


@dataclass(frozen=True, kw_only=True, slots=True)
class TextTool:
    """A button that writes Markdown round what is selected, or in its place."""

    name: str
    """Of its icon and its word in templates/console/write.html.j2."""
    before: str = ""
    after: str = ""
    sample: str = ""
    """What is put there, selected, if nothing is selected."""
    at_line: bool = False
    """Whether `before` stands at the beginning of each selected line."""


TOOLS = (
    TextTool(name="bold", before="**", after="**"),
    TextTool(name="italic", before="*", after="*"),
    TextTool(name="link", before="[", after="](https://)"),
    TextTool(name="heading", before="## ", at_line=True),
    TextTool(name="list", before="- ", at_line=True),
    TextTool(name="quote", before="> ", at_line=True),
    TextTool(name="picture", before="![", after="](https://)"),
    TextTool(name="person", sample='{{ name or "there" }}'),
)


def language_options(language: str, letters: Iterable[str]) -> list[tuple[str, str]]:
    """(tag, name in `language`) of the languages that an edition may be in: those of letters, and the most spoken."""
    locale = Locale.parse(language, sep="-")
    tags = dict.fromkeys((*letters, *_MORE_LANGUAGES, *_LATE_LANGUAGES))
    return sorted(((tag, _name(tag, locale)) for tag in tags), key=lambda one: one[1])


def _name(tag: str, locale: Locale) -> str:
    return Locale.parse(tag, sep="-").get_display_name(locale) or tag
