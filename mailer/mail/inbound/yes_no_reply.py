"""Reading the reply to a question of ours: "please confirm", "do you want to leave?"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import dropwhile, islice

from mailer.mail.inbound.command_parser import parse_commands
from mailer.mail.inbound.command_words import CommandName, Vocabulary, consists_of, longest_match, split_words
from mailer.mail.inbound.leave_sentences import asks_to_leave
from mailer.mail.inbound.parse_mail import InboundMail
from mailer.mail.inbound.sentences import Sentence, split_sentences, strip_greeting, unwrap_lines
from mailer.mail.inbound.yes_no_sentences import (
    agrees,
    asks_never_again,
    declines,
    is_auto_reply_sentence,
    is_bare_no,
    is_clear_refusal,
    is_courtesy,
    is_weak_yes,
)
from mailer.mail.message.subject_prefix import strip_subject_prefixes

_BLANK_LINE = re.compile(r"\n\s*\n")
_MAX_NAME_WORDS = 3
"""The most words of a name, or of a town below it."""
_MAX_SENTENCES = 6
"""How many sentences are read."""
# Normalized, "sí" (yes) and "si" (if) are the same: at the beginning of a sentence the accent decides.
_ACCENTED_YES = re.compile(r"((?:^|[.!,;:\n¡])\s*)s[íì](?!\w)", re.IGNORECASE)


class Answer(StrEnum):
    """The answer to a question of ours."""

    YES = "yes"
    NO = "no"
    NEVER = "never"
    """No, and do not ask again."""
    NEITHER = "neither"
    """The text is no answer: it is a question, or an automatic reply."""


def parse_confirm_answer(mail: InboundMail, vocabulary: Vocabulary) -> Answer:
    """The answer of a mail to "do you want to join?".

    A mail without a text of its own says yes if it contains nothing, or nothing but a quote of our letter; its subject
    is read instead if it is not ours.
    """
    if mail.reply_text:
        return parse_answer(mail.reply_text, vocabulary)
    if not mail.is_blank:
        return Answer.NEITHER
    subject, is_reply = strip_subject_prefixes(mail.subject)
    return parse_answer("" if is_reply else subject, vocabulary)


def parse_leave_answer(mail: InboundMail, vocabulary: Vocabulary) -> Answer:
    """The answer of a mail to "do you want to leave?": a request to be taken off the list is a yes."""
    text = strip_greeting(mail.reply_text, vocabulary)
    words = split_words(text)
    at = 0
    while yes := longest_match(words, at, vocabulary.yes, vocabulary.courtesies):
        at += yes
    rest = text[words[at - 1].end :].lstrip(" ,.!:;،，。！") if at else text
    for own_text in (text, rest):
        found = parse_commands(replace(mail, reply_text=own_text), vocabulary, strict=True)
        if any(one.name is CommandName.UNSUBSCRIBE for one in found):
            return Answer.YES
    return parse_confirm_answer(mail, vocabulary)


def parse_answer(text: str, vocabulary: Vocabulary) -> Answer:
    """The answer in a person's own text, in any of our languages; an empty text says yes.

    The first sentence after a greeting and courtesies has to be a yes or a no, and what follows must not retract it. A
    clear refusal ("that was not me") is a no wherever it stands. Everything else is NEITHER, so that nobody is
    subscribed who may not want it.
    """
    if not text.strip():
        return Answer.YES
    accented = _ACCENTED_YES.sub(r"\1yes", unicodedata.normalize("NFC", text))
    text = strip_greeting(accented, vocabulary)
    found = _first_sentences(text, vocabulary)
    if not found:
        return Answer.NEITHER
    first, later = found[0], found[1:]
    paragraph = next(filter(None, (_first_sentences(one, vocabulary) for one in _BLANK_LINE.split(text))))
    if asks_never_again(first.words, vocabulary):
        return Answer.NEVER
    if any(is_auto_reply_sentence(one, vocabulary) for one in paragraph):
        return Answer.NEITHER
    if agrees(first, vocabulary):
        says_more = is_weak_yes(first, vocabulary) and _says_more(paragraph, later, vocabulary)
        return Answer.NEITHER if says_more else _yes_unless_retracted(later, vocabulary)
    # Lines are joined, since an "if" may stand on the line before.
    if not (
        declines(first, vocabulary)
        or any(is_clear_refusal(one, vocabulary) for one in _first_sentences(unwrap_lines(text), vocabulary))
    ):
        return Answer.NEITHER
    return Answer.NEVER if any(asks_never_again(one.words, vocabulary) for one in later) else Answer.NO


def _first_sentences(text: str, vocabulary: Vocabulary) -> list[Sentence]:
    """The first sentences, without those of courtesies at the beginning."""
    first = islice(split_sentences(text), _MAX_SENTENCES)
    return list(dropwhile(lambda one: is_courtesy(one.words, vocabulary), first))


def _says_more(paragraph: Sequence[Sentence], later: Iterable[Sentence], vocabulary: Vocabulary) -> bool:
    """Whether more follows than courtesies, what the person wants to join, and names."""
    agreeing = (vocabulary.courtesies, vocabulary.yes, vocabulary.joining, vocabulary.wanting)
    parts = [part for sentence in paragraph[:3] for part in sentence.parts]
    says_more = any(len(part) > _MAX_NAME_WORDS and not consists_of(part, *agreeing) for part in parts)
    return says_more or any(is_auto_reply_sentence(one, vocabulary) for one in later)


def _yes_unless_retracted(later: Iterable[Sentence], vocabulary: Vocabulary) -> Answer:
    """Yes, unless one of the next two sentences says no or asks who we are."""
    for sentence in islice(later, 2):
        if is_bare_no(sentence.words, vocabulary) or asks_to_leave(sentence, vocabulary):
            return Answer.NO
        if sentence.is_question and longest_match(sentence.words, 0, vocabulary.but):
            return Answer.NEITHER
    return Answer.YES
