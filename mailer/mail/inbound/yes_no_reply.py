"""What a reply to a letter that asks ("please confirm", "do you want to leave?") says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import dropwhile, islice

from mailer.mail.inbound.command_parser import asked
from mailer.mail.inbound.command_words import Vocabulary, Wish, covered, longest, words_in
from mailer.mail.inbound.greeting import past_greeting
from mailer.mail.inbound.leave_sentences import asks_to_leave
from mailer.mail.inbound.parse_mail import Heard
from mailer.mail.inbound.sentences import Sentence, sentences, unwrapped
from mailer.mail.inbound.yes_no_sentences import (
    agrees,
    asks_for_silence,
    declines,
    is_automatic,
    is_bare_no,
    is_courteous,
    is_mere_yes,
    is_unmistakable,
)
from mailer.mail.message.subject_prefix import bare_subject

_BLANK_LINE = re.compile(r"\n\s*\n")
_NAME = 3
"""Words of a name, or of a town under it, at the most."""
_SENTENCES = 6
"""So many are looked at."""
# Folding makes "sí" and "si" (if) alike: where it begins, the accent tells.
_ACCENTED_YES = re.compile(r"((?:^|[.!,;:\n¡])\s*)s[íì](?!\w)", re.IGNORECASE)


class Answer(StrEnum):
    """What a person says to a letter that asks."""

    YES = "yes"
    NO = "no"
    NEVER = "never"
    """No, and do not ask me again."""
    NEITHER = "neither"
    """Words of their own that are no answer: a question, or what an automatic reply says."""


def answer_of(heard: Heard, vocabulary: Vocabulary) -> Answer:
    """The answer of a mail to "do you want to join?".

    A mail without words of its own agrees where it holds nothing at all, or nothing but a quote of our letter; a
    subject that it does not have from us is read in their place.
    """
    if heard.own_words:
        return read_answer(heard.own_words, vocabulary)
    if not heard.is_blank:
        return Answer.NEITHER
    subject, replied = bare_subject(heard.subject)
    return read_answer("" if replied else subject, vocabulary)


def answer_about_leaving(heard: Heard, vocabulary: Vocabulary) -> Answer:
    """The answer of a mail to "do you want to leave?": whoever asks to be taken off says yes."""
    text = past_greeting(heard.own_words, vocabulary)
    words = words_in(text)
    at = 0
    while yes := longest(words, at, vocabulary.yes, vocabulary.around):
        at += yes
    rest = text[words[at - 1].end :].lstrip(" ,.!:;،，。！") if at else text
    for said in (text, rest):
        found = asked(replace(heard, own_words=said), vocabulary, strict=True)
        if any(one.command is Wish.UNSUBSCRIBE for one in found):
            return Answer.YES
    return answer_of(heard, vocabulary)


def read_answer(own_words: str, vocabulary: Vocabulary) -> Answer:
    """The answer in a person's own first words, in any of our languages; nothing at all agrees.

    A greeting and courtesies are passed over; the first sentence after them must be a yes or a no and go on in no
    way that takes it back. A sentence that says something unmistakable ("that was not me") declines wherever it
    stands. What is neither changes nothing: nobody is joined who may not want it.
    """
    if not own_words.strip():
        return Answer.YES
    accented = _ACCENTED_YES.sub(r"\1yes", unicodedata.normalize("NFC", own_words))
    text = past_greeting(accented, vocabulary)
    said = _said(text, vocabulary)
    if not said:
        return Answer.NEITHER
    first, later = said[0], said[1:]
    paragraph = next(filter(None, (_said(one, vocabulary) for one in _BLANK_LINE.split(text))))
    if asks_for_silence(first.words, vocabulary):
        return Answer.NEVER
    if any(is_automatic(one, vocabulary) for one in paragraph):
        return Answer.NEITHER
    if agrees(first, vocabulary):
        goes_on = is_mere_yes(first, vocabulary) and _goes_on(paragraph, later, vocabulary)
        return Answer.NEITHER if goes_on else _unless_taken_back(later, vocabulary)
    # An "if" may stand in the line before.
    if not (
        declines(first, vocabulary)
        or any(is_unmistakable(one, vocabulary) for one in _said(unwrapped(text), vocabulary))
    ):
        return Answer.NEITHER
    return Answer.NEVER if any(asks_for_silence(one.words, vocabulary) for one in later) else Answer.NO


def _said(text: str, vocabulary: Vocabulary) -> list[Sentence]:
    """The first sentences, from the one on that is more than courtesies."""
    said = islice(sentences(text), _SENTENCES)
    return list(dropwhile(lambda one: is_courteous(one.words, vocabulary), said))


def _goes_on(paragraph: Sequence[Sentence], later: Iterable[Sentence], vocabulary: Vocabulary) -> bool:
    """Whether more follows than courtesies, what the person wants, and names."""
    agreeing = (vocabulary.around, vocabulary.yes, vocabulary.joining, vocabulary.wanting)
    parts = [part for sentence in paragraph[:3] for part in sentence.parts]
    told = any(len(part) > _NAME and not covered(part, *agreeing) for part in parts)
    return told or any(is_automatic(one, vocabulary) for one in later)


def _unless_taken_back(later: Iterable[Sentence], vocabulary: Vocabulary) -> Answer:
    """Yes, unless the next sentences say no or ask who we are."""
    for sentence in islice(later, 2):
        if is_bare_no(sentence.words, vocabulary) or asks_to_leave(sentence, vocabulary):
            return Answer.NO
        if sentence.asks and longest(sentence.words, 0, vocabulary.but):
            return Answer.NEITHER
    return Answer.YES
