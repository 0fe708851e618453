"""Passing over the greeting that a person's own words begin with."""

from __future__ import annotations

import re

from mailer.mail.inbound.command_words import Vocabulary, longest, words_in
from mailer.mail.inbound.sentences import written_out
from mailer.mail.message.normalize_text import folded

_NAME = re.compile(r"[^\n,.!:;،，。！：]{0,80}[\n,.!:;،，。！：]")
_LOOKED_AT = 300


def past_greeting(text: str, vocabulary: Vocabulary) -> str:
    """`text`, made alike (see `folded`), without a greeting and the name in it: "Hi Ada, stop" -> "stop"."""
    said = written_out(folded(text)).strip()
    words = words_in(said[:_LOOKED_AT])
    if not (greeting := longest(words, 0, vocabulary.hello)):
        return said
    meant = (vocabulary.wishes, vocabulary.around, vocabulary.yes, vocabulary.no, vocabulary.not_me, vocabulary.never)
    rest = said[words[greeting - 1].end :]
    # "Hello no" names nobody, "Hi there, no" does.
    if not longest(words, greeting, *meant) and (name := _NAME.match(rest)):
        return rest[name.end() :].strip()
    return rest.lstrip(" \t\r\n,.!:;،，。！：-")
