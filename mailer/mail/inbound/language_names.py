"""Languages by tag, or by name in one of our languages ("Türkisch", "Spanish", "中文")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from babel import Locale

from mailer.domain.language import parse_language
from mailer.mail.inbound.command_words import Phrase, Word, split_words

_LOCALES = ("en", "de", "tr", "es", "fr", "it", "pt", "ru", "ar", "zh")
_VARIANTS = ("pt_BR", "pt_PT", "zh_Hans", "zh_Hant")


def parse_language_name(words: Sequence[Word]) -> str | None:
    """The tag of the language that the words name together; None if they name none."""
    name = tuple(word.text for word in words)
    if not name or len(name) > 6:
        return None
    if len(name[0]) == 2 and name[0] in Locale.parse("en").languages:
        return parse_language("-".join(name)) if _is_tag(name[1:]) else None
    return _language_names().get(name)


def _is_tag(rest: Phrase) -> bool:
    """Whether the words after the language are at most a script and a region."""
    return len(rest) < 3 and all(len(part) in {2, 4} and part.isascii() for part in rest)


@cache
def _language_names() -> Mapping[Phrase, str]:
    names: dict[Phrase, str] = {}
    for locale in _LOCALES:
        for code, name in Locale.parse(locale).languages.items():
            if len(code) == 2 or code in _VARIANTS:
                names.setdefault(tuple(word.text for word in split_words(name)), code.replace("_", "-").lower())
    return names
