"""A person's text taken apart: sentences, the parts that commas make, and words spelled letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailer.mail.inbound.command_words import Word, split_words

_END = re.compile(r"(?:[!?…。！？؟;；\n]|\.(?=[\s.!?]|$))+")
_PART = re.compile(r"[,،，、()\[\]{}«»“”\"–—]|\s-\s|--")
_QUESTION = re.compile("[?？؟]")
_MIN_WRAPPED_CHARACTERS = 45
"""A line of so many characters that ends without a mark goes on in the next."""
_OPEN_END = re.compile(r"[^\s.!?…。！？؟:：;；]\s*$")
_SPELLED = re.compile(r"(?<![^\W_])[^\W\d_](?:[ .\-_*·]{1,2}[^\W\d_]){2,}(?![^\W_])")
_THUMB_UP, _THUMB_DOWN = re.compile(r"[👍👌✅✔☑🆗]|(?<![\w+])\+1(?!\w)"), re.compile("[👎❌🚫⛔]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """What stands between two ends."""

    parts: tuple[tuple[Word, ...], ...]
    """The words between commas, brackets and dashes."""
    is_question: bool
    """Whether it ends with a question mark."""

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(word for part in self.parts for word in part)


def split_sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a folded text that hold words; the end of a line ends one, too."""
    start = 0
    for end in [*_END.finditer(text), None]:
        told = text[start : end.start() if end else len(text)]
        parts = tuple(tuple(words) for part in _PART.split(told) if (words := split_words(part)))
        if parts:
            yield Sentence(parts, bool(end and _QUESTION.search(end[0])))
        start = end.end() if end else len(text)


def join_spelled_words(text: str) -> str:
    """`text` with "S T O P" and "s.t.o.p" made one word, and a thumb a word of its own."""
    text = _THUMB_DOWN.sub("\nno\n", _THUMB_UP.sub("\nyes\n", text))
    return _SPELLED.sub(lambda found: re.sub(r"[^\w]|_", "", found[0]), text)


def unwrap_lines(text: str) -> str:
    """`text` with the lines joined that seem to have been one."""
    lines = text.split("\n")
    ends = [" " if len(line) >= _MIN_WRAPPED_CHARACTERS and _OPEN_END.search(line) else "\n" for line in lines]
    return "".join(line + end for line, end in zip(lines, ends, strict=True))
