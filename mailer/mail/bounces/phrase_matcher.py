"""Finding phrases in a text: one pass over its words, however many phrases there are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

from mailer.mail.message.normalize_text import normalize_text

_MAX_CHARACTERS = 3000
_ADDRESS = re.compile(r"<[^<>\s]{0,320}>|(?<![^\s<>@])[^\s<>@]{1,128}@[^\s<>@]{1,255}")
"""Left out before matching: an address says nothing of the reason."""
_NEGATION = re.compile(r"n['’]t\b")
_WORD = re.compile(r"[^\W_]+")
_KEY_LENGTH = 3
_UNSPACED_SCRIPT = re.compile("[\u0900-\u10ff\u1100-\u11ff\u3000-\U0002ffff]")
"""Scripts that do not put spaces between words."""


class PhraseMatcher:
    """Ranked lists of phrases; a phrase's rank is the index of its list.

    `a|b` is one word or the other, `stem*` any word that begins so, `?word` may be missing, `~` stands for up to four
    words, `#` for a number, and `$` for the end of the text.
    """

    def __init__(self, lists: Sequence[Sequence[str]]) -> None:
        self._spaced: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._unspaced: list[tuple[int, str]] = []
        self._patterns: dict[str, list[tuple[int, re.Pattern[str]]]] = {}
        for rank, phrases in enumerate(lists):
            for phrase in map(normalize_text, phrases):
                if _UNSPACED_SCRIPT.search(phrase):
                    self._unspaced.append((rank, phrase))
                    continue
                for key in {word[:_KEY_LENGTH] for word in phrase.split(maxsplit=1)[0].split("|")}:
                    self._spaced[key].append((rank, phrase))

    def find_all(self, words: str) -> Iterator[tuple[int, int]]:
        """The rank of each phrase that occurs, and its offset in `words`, which `normalize_words` made."""
        for rank, phrase in self._unspaced:
            if phrase in words:
                yield rank, words.index(phrase)
        for word in _WORD.finditer(words):
            for rank, pattern in self._patterns_for(word[0][:_KEY_LENGTH]):
                if pattern.match(words, word.start()):
                    yield rank, word.start()

    def matches_start(self, words: str) -> bool:
        """Whether `words`, which `normalize_words` made, begin with a phrase."""
        first = words[1 : 1 + _KEY_LENGTH].rstrip()
        return any(pattern.match(words, 1) for _, pattern in self._patterns_for(first)) or any(
            words.startswith(phrase, 1) for _, phrase in self._unspaced
        )

    def occurs_in(self, text: str) -> bool:
        """Whether any phrase occurs in a text."""
        return next(self.find_all(normalize_words(text)), None) is not None

    def _patterns_for(self, key: str) -> Sequence[tuple[int, re.Pattern[str]]]:
        if key not in self._spaced:
            return ()
        if key not in self._patterns:
            # Compiling all of them takes 50 ms; most processes need few.
            self._patterns[key] = [(rank, _compile_phrase(phrase)) for rank, phrase in self._spaced[key]]
        return self._patterns[key]


def normalize_words(text: str) -> str:
    """The words of a text's first 3000 characters without addresses, folded, with one space between and around."""
    return _normalize_words(text[:_MAX_CHARACTERS])


@lru_cache(maxsize=32)
def _normalize_words(text: str) -> str:
    plain = _ADDRESS.sub(" ", text)
    plain = plain.lower() if plain.isascii() else normalize_text(plain)
    return f" {' '.join(_WORD.findall(_NEGATION.sub('nt', plain)))} "


def _compile_phrase(phrase: str) -> re.Pattern[str]:
    pattern = ""
    for word in phrase.split():
        alternatives = "|".join(re.escape(one).replace(r"\*", r"\S*") for one in word.lstrip("?").split("|"))
        if word == "~":
            pattern += r"(?:\S+ ){0,4}?"
        elif word == "#":
            pattern += r"\d+ "
        elif word == "$":
            pattern += r"(?:\Z|in reply to |see |https? |smtp |\d)"
        else:
            pattern += f"(?:(?:{alternatives}) )?" if word.startswith("?") else f"(?:{alternatives}) "
    return re.compile(pattern)
