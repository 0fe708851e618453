"""Finding a table's phrases in a text: in one pass over its words, however many phrases there are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

from mailer.mail.message.normalize_text import normalize_text

_MAX_CHARACTERS = 3000
_ADDRESS = re.compile(r"<[^<>\s]{0,320}>|(?<![^\s<>@])[^\s<>@]{1,128}@[^\s<>@]{1,255}")
"""Left out before words are read: an address says nothing of why."""
_NEGATION = re.compile(r"n['’]t\b")
_WORD = re.compile(r"[^\W_]+")
_KEY_LENGTH = 3
_UNSPACED_SCRIPT = re.compile("[\u0900-\u10ff\u1100-\u11ff\u3000-\U0002ffff]")
"""Scripts whose words are not divided as in a table of phrases."""


class PhraseMatcher:
    """Rows of phrases, the most telling row first.

    One phrase a line. `a|b` is one word or the other, `stem*` any word that begins so, `?word` may be missing, `~`
    stands for up to four words, `#` for a number, and `$` for the end of what is said.
    """

    def __init__(self, rows: Sequence[str]) -> None:
        self._spaced: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._unspaced: list[tuple[int, str]] = []
        self._patterns: dict[str, list[tuple[int, re.Pattern[str]]]] = {}
        for rank, line in _phrase_lines(rows):
            if _UNSPACED_SCRIPT.search(line):
                self._unspaced.append((rank, line))
                continue
            for key in {word[:_KEY_LENGTH] for word in line.split(maxsplit=1)[0].split("|")}:
                self._spaced[key].append((rank, line))

    def find_all(self, said: str) -> Iterator[tuple[int, int]]:
        """The rank of each phrase that occurs in words as of `spoken`, and where in them."""
        for rank, phrase in self._unspaced:
            if phrase in said:
                yield rank, said.index(phrase)
        for word in _WORD.finditer(said):
            for rank, pattern in self._patterns_for(word[0][:_KEY_LENGTH]):
                if pattern.match(said, word.start()):
                    yield rank, word.start()

    def matches_start(self, said: str) -> bool:
        """Whether words as of `spoken` begin with a phrase."""
        first = said[1 : 1 + _KEY_LENGTH].rstrip()
        return any(pattern.match(said, 1) for _, pattern in self._patterns_for(first)) or any(
            said.startswith(phrase, 1) for _, phrase in self._unspaced
        )

    def _patterns_for(self, key: str) -> Sequence[tuple[int, re.Pattern[str]]]:
        if key not in self._spaced:
            return ()
        if key not in self._patterns:
            # All at once they take 50 ms, which no command should wait for that needs none.
            self._patterns[key] = [(rank, _compile_phrase(line)) for rank, line in self._spaced[key]]
        return self._patterns[key]

    def occurs_in(self, text: str) -> bool:
        """Whether any phrase occurs in a text."""
        return next(self.find_all(normalize_words(text)), None) is not None


def normalize_words(text: str) -> str:
    """The first words of a text: folded, with single spaces between and around them, without addresses."""
    return _normalize_words(text[:_MAX_CHARACTERS])


@lru_cache(maxsize=32)
def _normalize_words(text: str) -> str:
    plain = _ADDRESS.sub(" ", text)
    plain = plain.lower() if plain.isascii() else normalize_text(plain)
    return f" {' '.join(_WORD.findall(_NEGATION.sub('nt', plain)))} "


def _phrase_lines(rows: Sequence[str]) -> Iterator[tuple[int, str]]:
    for rank, row in enumerate(rows):
        for line in row.splitlines():
            if line.strip():
                yield rank, normalize_text(line.strip())


def _compile_phrase(line: str) -> re.Pattern[str]:
    pattern = ""
    for word in line.split():
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
