"""Splitting a person's text into sentences and their parts, after its greeting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailer.mail.inbound.command_words import Vocabulary, Word, longest_match, split_words
from mailer.mail.message.normalize_text import normalize_text

_END = re.compile(r"(?:[!?…。！？؟;；\n]|\.(?=[\s.!?]|$))+")
_PART = re.compile(r"[,،，、()\[\]{}«»“”\"–—]|\s-\s|--")
_QUESTION = re.compile("[?？؟]")
_MIN_WRAPPED_CHARACTERS = 45
"""A line of this length that ends without punctuation continues on the next."""
_OPEN_END = re.compile(r"[^\s.!?…。！？؟:：;；]\s*$")
_NAME = re.compile(r"[^\n,.!:;،，。！：]{0,80}[\n,.!:;،，。！：]")
_MAX_GREETING_CHARACTERS = 300
_SPELLED = re.compile(r"(?<![^\W_])[^\W\d_](?:[ .\-_*·]{1,2}[^\W\d_]){2,}(?![^\W_])")
_THUMB_UP, _THUMB_DOWN = re.compile(r"[👍👌✅✔☑🆗]|(?<![\w+])\+1(?!\w)"), re.compile("[👎❌🚫⛔]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """The words between two ends of sentences."""

    parts: tuple[tuple[Word, ...], ...]
    """The words between commas, brackets and dashes."""
    is_question: bool
    """Whether it ends with a question mark."""

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(word for part in self.parts for word in part)


def split_sentences(text: str) -> Iterator[Sentence]:
    """The sentences with words of a normalized text; the end of a line ends a sentence."""
    start = 0
    for end in [*_END.finditer(text), None]:
        sentence = text[start : end.start() if end else len(text)]
        parts = tuple(tuple(words) for part in _PART.split(sentence) if (words := split_words(part)))
        if parts:
            yield Sentence(parts, bool(end and _QUESTION.search(end[0])))
        start = end.end() if end else len(text)


def join_spelled_words(text: str) -> str:
    """`text` with "S T O P" and "s.t.o.p" joined to one word, and a thumb up or down replaced by yes or no."""
    text = _THUMB_DOWN.sub("\nno\n", _THUMB_UP.sub("\nyes\n", text))
    return _SPELLED.sub(lambda found: re.sub(r"[^\w]|_", "", found[0]), text)


def unwrap_lines(text: str) -> str:
    """`text` with the lines joined that a mail program seems to have wrapped."""
    lines = text.split("\n")
    ends = [" " if len(line) >= _MIN_WRAPPED_CHARACTERS and _OPEN_END.search(line) else "\n" for line in lines]
    return "".join(line + end for line, end in zip(lines, ends, strict=True))


def strip_greeting(text: str, vocabulary: Vocabulary) -> str:
    """`text`, normalized, without a greeting at its beginning and the name in it: "Hi Ada, stop" -> "stop"."""
    normalized = join_spelled_words(normalize_text(text)).strip()
    words = split_words(normalized[:_MAX_GREETING_CHARACTERS])
    if not (greeting := longest_match(words, 0, vocabulary.greetings)):
        return normalized
    meaningful = (
        vocabulary.commands,
        vocabulary.courtesies,
        vocabulary.yes,
        vocabulary.no,
        vocabulary.not_me,
        vocabulary.never,
    )
    rest = normalized[words[greeting - 1].end :]
    # In "Hello no" the second word is no name, in "Hi there, no" it is.
    if not longest_match(words, greeting, *meaningful) and (name := _NAME.match(rest)):
        return rest[name.end() :].strip()
    return rest.lstrip(" \t\r\n,.!:;،，。！：-")
