"""What a reply to a letter that asks ("please confirm", "do you want to leave?") says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import dropwhile, islice

from mailer.mail.commands import asked
from mailer.mail.greeting import past_greeting
from mailer.mail.leaving import asks_to_leave
from mailer.mail.read import Heard
from mailer.mail.reply_prefix import bare_subject
from mailer.mail.sentences import Sentence, sentences, unwrapped
from mailer.mail.vocabulary import Vocabulary, Wish, Word, covered, lengths, longest, phrase_of, words_in

_SENTENCES = 6
"""So many are looked at."""
_TELLING = 3
"""So many words mean what they say wherever they stand ("do not ask again"); fewer may not ("never again")."""
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
    if _never(first.words, vocabulary):
        return Answer.NEVER
    if _agrees(first, vocabulary):
        return _unless_taken_back(later, vocabulary)
    # An "if" may stand in the line before.
    if not (
        _declines(first, vocabulary)
        or any(_unmistakable(one, vocabulary) for one in _said(unwrapped(text), vocabulary))
    ):
        return Answer.NEITHER
    return Answer.NEVER if any(_never(one.words, vocabulary) for one in later) else Answer.NO


def _said(text: str, vocabulary: Vocabulary) -> list[Sentence]:
    """The first sentences, from the one on that is more than courtesies."""
    said = islice(sentences(text), _SENTENCES)
    return list(dropwhile(lambda one: covered(one.words, vocabulary.around), said))


def _agrees(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether it begins with a yes, and no part of it is a no, a but, an if, or asks."""
    if _unmistakable(sentence, vocabulary) or (sentence.asks and not _ends_with_yes(sentence.words, vocabulary)):
        return False
    parts = list(dropwhile(lambda part: covered(part, vocabulary.around), sentence.parts))
    return bool(parts) and _is_yes(parts[0], vocabulary) and not any(_doubts(part, vocabulary) for part in parts[1:])


def _is_yes(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether the words are a yes and courtesies, or a yes and after it what the person wants."""
    agreeing = (vocabulary.yes, vocabulary.joining)
    at = _past_courtesies(words, vocabulary)
    yes = longest(words, at, vocabulary.yes)
    if longest(words, at, vocabulary.but) > yes:
        return False
    if covered(words, vocabulary.around, *agreeing):
        return True
    if not yes or phrase_of(words[at : at + yes]) in vocabulary.alone:
        return False
    rest = words[at + yes :]
    return bool(longest(rest, 0, vocabulary.wanting)) and not any(
        longest(rest, number, vocabulary.but, vocabulary.condition, vocabulary.no, vocabulary.leaving)
        > longest(rest, number, vocabulary.around, *agreeing)
        for number in range(len(rest))
    )


def _ends_with_yes(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether a question is one only in form: "why not?"."""
    return any(longest(words, at, vocabulary.yes) == len(words) - at > 1 for at in range(len(words)))


def _doubts(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether a part of the sentence takes back a yes before it."""
    at = _past_courtesies(words, vocabulary)
    doubt = longest(words, at, vocabulary.but, vocabulary.condition)
    is_doubt = doubt > 1 or 0 < doubt < len(words)  # a word alone may be a name: "Yes, Kim"
    return (is_doubt and doubt >= longest(words, at, vocabulary.yes)) or _bare_no(words, vocabulary)


def _bare_no(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether the words are one no and courtesies."""
    for at in range(len(words)):
        for count in lengths(words, at, vocabulary.no, vocabulary.leaving):
            around = (words[:at], words[at + count :])
            if all(covered(side, vocabulary.around) for side in around):
                return True
    return False


def _unless_taken_back(later: Iterable[Sentence], vocabulary: Vocabulary) -> Answer:
    """Yes, unless the next sentences say no or ask who we are."""
    for sentence in islice(later, 2):
        if _bare_no(sentence.words, vocabulary) or asks_to_leave(sentence, vocabulary):
            return Answer.NO
        if sentence.asks and longest(sentence.words, 0, vocabulary.but):
            return Answer.NEITHER
    return Answer.YES


def _declines(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether it begins with a no that is not the beginning of something else, as "no longer" is."""
    parts = list(dropwhile(lambda part: covered(part, vocabulary.around), sentence.parts))
    words = parts[0] if parts else ()
    at = _past_courtesies(words, vocabulary)
    noes = (vocabulary.no, vocabulary.not_me, vocabulary.never, vocabulary.leaving)
    no = longest(words, at, *noes)
    if no > longest(words, at, vocabulary.yes):
        weak = phrase_of(words[at : at + no]) in vocabulary.alone
        rest = (vocabulary.around, *noes, vocabulary.joining, vocabulary.yes)
        if not weak or (not sentence.asks and covered(words[at + no :], *rest)):
            return True
    if sentence.asks:
        return False
    ends = any(no == len(words) - at for at in range(len(words)) for no in lengths(words, at, vocabulary.no))
    return ends and covered(words, vocabulary.around, vocabulary.yes, vocabulary.no)


def _unmistakable(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether it says that it was somebody else, or asks to be left alone, and depends on no if."""
    words = sentence.words
    if any(_depends(part, vocabulary) for part in sentence.parts):
        return False
    if asks_to_leave(sentence, vocabulary):
        return True
    return any(longest(words, at, vocabulary.not_me) for at in range(len(words)))


def _depends(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether there is an if, and something after it."""
    return any(
        longest(words, at, vocabulary.around) < longest(words, at, vocabulary.condition) < len(words) - at
        for at in range(len(words))
    )


def _never(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether a sentence asks never to be asked again: as all it says, or in so many words."""
    if any(longest(words, at, vocabulary.never) >= _TELLING for at in range(len(words))):
        return True
    beside = (vocabulary.around, vocabulary.no, vocabulary.yes)
    return not covered(words, *beside) and covered(words, vocabulary.never, *beside)


def _past_courtesies(words: Sequence[Word], vocabulary: Vocabulary) -> int:
    """Where the words go on after courtesies; what is the beginning of more is none."""
    at = 0
    while courtesy := longest(words, at, vocabulary.around):
        if longest(words, at, vocabulary.yes, vocabulary.no, vocabulary.not_me, vocabulary.leaving) > courtesy:
            break
        at += courtesy
    return at
