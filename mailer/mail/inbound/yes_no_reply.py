"""What a reply to a letter that asks ("please confirm", "do you want to leave?") says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import dropwhile, islice

from mailer.mail.inbound.command_parser import parse_commands
from mailer.mail.inbound.command_words import CommandName, Vocabulary, consists_of, longest_match, split_words
from mailer.mail.inbound.greeting import strip_greeting
from mailer.mail.inbound.leave_sentences import asks_to_leave
from mailer.mail.inbound.parse_mail import InboundMail
from mailer.mail.inbound.sentences import Sentence, split_sentences, unwrap_lines
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
"""Words of a name, or of a town under it, at the most."""
_MAX_SENTENCES = 6
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


def parse_confirm_answer(mail: InboundMail, vocabulary: Vocabulary) -> Answer:
    """The answer of a mail to "do you want to join?".

    A mail without words of its own agrees where it holds nothing at all, or nothing but a quote of our letter; a
    subject that it does not have from us is read in their place.
    """
    if mail.reply_text:
        return parse_answer(mail.reply_text, vocabulary)
    if not mail.is_blank:
        return Answer.NEITHER
    subject, replied = strip_subject_prefixes(mail.subject)
    return parse_answer("" if replied else subject, vocabulary)


def parse_leave_answer(mail: InboundMail, vocabulary: Vocabulary) -> Answer:
    """The answer of a mail to "do you want to leave?": whoever asks to be taken off says yes."""
    text = strip_greeting(mail.reply_text, vocabulary)
    words = split_words(text)
    at = 0
    while yes := longest_match(words, at, vocabulary.yes, vocabulary.courtesies):
        at += yes
    rest = text[words[at - 1].end :].lstrip(" ,.!:;،，。！") if at else text
    for said in (text, rest):
        found = parse_commands(replace(mail, reply_text=said), vocabulary, strict=True)
        if any(one.name is CommandName.UNSUBSCRIBE for one in found):
            return Answer.YES
    return parse_confirm_answer(mail, vocabulary)


def parse_answer(own_words: str, vocabulary: Vocabulary) -> Answer:
    """The answer in a person's own first words, in any of our languages; nothing at all agrees.

    A greeting and courtesies are passed over; the first sentence after them must be a yes or a no and go on in no
    way that takes it back. A sentence that says something unmistakable ("that was not me") declines wherever it
    stands. What is neither changes nothing: nobody is joined who may not want it.
    """
    if not own_words.strip():
        return Answer.YES
    accented = _ACCENTED_YES.sub(r"\1yes", unicodedata.normalize("NFC", own_words))
    text = strip_greeting(accented, vocabulary)
    said = _first_sentences(text, vocabulary)
    if not said:
        return Answer.NEITHER
    first, later = said[0], said[1:]
    paragraph = next(filter(None, (_first_sentences(one, vocabulary) for one in _BLANK_LINE.split(text))))
    if asks_never_again(first.words, vocabulary):
        return Answer.NEVER
    if any(is_auto_reply_sentence(one, vocabulary) for one in paragraph):
        return Answer.NEITHER
    if agrees(first, vocabulary):
        goes_on = is_weak_yes(first, vocabulary) and _says_more(paragraph, later, vocabulary)
        return Answer.NEITHER if goes_on else _yes_unless_retracted(later, vocabulary)
    # An "if" may stand in the line before.
    if not (
        declines(first, vocabulary)
        or any(is_clear_refusal(one, vocabulary) for one in _first_sentences(unwrap_lines(text), vocabulary))
    ):
        return Answer.NEITHER
    return Answer.NEVER if any(asks_never_again(one.words, vocabulary) for one in later) else Answer.NO


def _first_sentences(text: str, vocabulary: Vocabulary) -> list[Sentence]:
    """The first sentences, from the one on that is more than courtesies."""
    said = islice(split_sentences(text), _MAX_SENTENCES)
    return list(dropwhile(lambda one: is_courtesy(one.words, vocabulary), said))


def _says_more(paragraph: Sequence[Sentence], later: Iterable[Sentence], vocabulary: Vocabulary) -> bool:
    """Whether more follows than courtesies, what the person wants, and names."""
    agreeing = (vocabulary.courtesies, vocabulary.yes, vocabulary.joining, vocabulary.wanting)
    parts = [part for sentence in paragraph[:3] for part in sentence.parts]
    told = any(len(part) > _MAX_NAME_WORDS and not consists_of(part, *agreeing) for part in parts)
    return told or any(is_auto_reply_sentence(one, vocabulary) for one in later)


def _yes_unless_retracted(later: Iterable[Sentence], vocabulary: Vocabulary) -> Answer:
    """Yes, unless the next sentences say no or ask who we are."""
    for sentence in islice(later, 2):
        if is_bare_no(sentence.words, vocabulary) or asks_to_leave(sentence, vocabulary):
            return Answer.NO
        if sentence.is_question and longest_match(sentence.words, 0, vocabulary.but):
            return Answer.NEITHER
    return Answer.YES
