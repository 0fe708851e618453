"""Languages as cells of tables name them: by tag, by locale, or by name in one of our languages."""

from __future__ import annotations

import re
from functools import lru_cache

from mailer.domain.language import parse_language
from mailer.mail.inbound.command_words import split_words
from mailer.mail.inbound.language_names import parse_language_name

_AFTER_TAG = re.compile(r"[.,;@].*")
_THREE_LETTERS = {
    "eng": "en",
    "deu": "de",
    "ger": "de",
    "tur": "tr",
    "spa": "es",
    "fra": "fr",
    "fre": "fr",
    "ita": "it",
    "por": "pt",
    "rus": "ru",
    "ara": "ar",
    "zho": "zh",
    "chi": "zh",
}
"""ISO 639-2 -> ISO 639-1."""


@lru_cache(maxsize=1024)
def read_language(text: str) -> str | None:
    """The tag of a language: `de`, `pt_BR.UTF-8`, `Türkisch`, `deu`. None for anything else."""
    tag = parse_language(_AFTER_TAG.sub("", text)) or parse_language_name(split_words(text))
    return _THREE_LETTERS.get(tag, tag) if tag else None
