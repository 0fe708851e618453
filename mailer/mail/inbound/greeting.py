"""Passing over the greeting that a person's own words begin with."""

from __future__ import annotations

import re

from mailer.mail.inbound.command_words import Vocabulary, longest_match, split_words
from mailer.mail.inbound.sentences import join_spelled_words
from mailer.mail.message.normalize_text import normalize_text

_NAME = re.compile(r"[^\n,.!:;،，。！：]{0,80}[\n,.!:;،，。！：]")
_MAX_CHARACTERS = 300


def strip_greeting(text: str, vocabulary: Vocabulary) -> str:
    """`text`, made alike (see `folded`), without a greeting and the name in it: "Hi Ada, stop" -> "stop"."""
    said = join_spelled_words(normalize_text(text)).strip()
    words = split_words(said[:_MAX_CHARACTERS])
    if not (greeting := longest_match(words, 0, vocabulary.greetings)):
        return said
    meant = (
        vocabulary.commands,
        vocabulary.courtesies,
        vocabulary.yes,
        vocabulary.no,
        vocabulary.not_me,
        vocabulary.never,
    )
    rest = said[words[greeting - 1].end :]
    # "Hello no" names nobody, "Hi there, no" does.
    if not longest_match(words, greeting, *meant) and (name := _NAME.match(rest)):
        return rest[name.end() :].strip()
    return rest.lstrip(" \t\r\n,.!:;،，。！：-")
