"""Languages by what people call them: a tag, or a name in one of our languages ("Türkisch", "Spanish", "中文")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from babel import Locale

from mailer.domain.language import parse_language
from mailer.mail.inbound.command_words import Phrase, Word, split_words

_LOCALES = ("en", "de", "tr", "es", "fr", "it", "pt", "ru", "ar", "zh")
_VARIANTS = ("pt_BR", "pt_PT", "zh_Hans", "zh_Hant")


def parse_language_name(words: Sequence[Word]) -> str | None:
    """The tag of the language that all these words are, or None."""
    said = tuple(word.text for word in words)
    if not said or len(said) > 6:
        return None
    if len(said[0]) == 2 and said[0] in Locale.parse("en").languages:
        return parse_language("-".join(said)) if _is_tag(said[1:]) else None
    return _language_names().get(said)


def _is_tag(rest: Phrase) -> bool:
    """Whether at most a script and a region follow."""
    return len(rest) < 3 and all(len(part) in {2, 4} and part.isascii() for part in rest)


@cache
def _language_names() -> Mapping[Phrase, str]:
    names: dict[Phrase, str] = {}
    for speaker in _LOCALES:
        for code, name in Locale.parse(speaker).languages.items():
            if len(code) == 2 or code in _VARIANTS:
                names.setdefault(tuple(word.text for word in split_words(name)), code.replace("_", "-").lower())
    return names
