"""Whether a sentence agrees or declines, by the words of all our languages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile

from mailer.mail.inbound.command_words import Vocabulary, Word, covered, lengths, longest, phrase_of
from mailer.mail.inbound.leave_sentences import asks_to_leave
from mailer.mail.inbound.sentences import Sentence

_TELLING = 3
"""So many words mean what they say wherever they stand ("do not ask again"); fewer may not ("never again")."""


def agrees(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether it begins with a yes, and no part of it is a no, a but, an if, or asks."""
    if is_unmistakable(sentence, vocabulary) or (sentence.asks and not _ends_with_yes(sentence.words, vocabulary)):
        return False
    parts = list(dropwhile(lambda part: is_courteous(part, vocabulary), sentence.parts))
    return bool(parts) and _is_yes(parts[0], vocabulary) and not any(_doubts(part, vocabulary) for part in parts[1:])


def _is_yes(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether the words are a yes and courtesies, or a yes and after it what the person wants."""
    agreeing = (vocabulary.yes, vocabulary.joining)
    at = _past_courtesies(words, vocabulary)
    if longest(words, at, vocabulary.but) > longest(words, at, vocabulary.yes):
        return False
    if covered(words, vocabulary.around, *agreeing):
        return True
    against = (vocabulary.but, vocabulary.condition, vocabulary.no, vocabulary.leaving)
    what = (vocabulary.around, *agreeing, vocabulary.sent)
    return any(
        phrase_of(words[at : at + yes]) not in vocabulary.alone
        and (longest(words, at + yes, vocabulary.wanting) or covered(words[at + yes :], *what))
        and not any(
            longest(words, number, *against) > longest(words, number, vocabulary.around, *agreeing)
            for number in range(at + yes, len(words))
        )
        for yes in lengths(words, at, vocabulary.yes)
    )


def _ends_with_yes(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether a question is one only in form: "why not?"."""
    return any(longest(words, at, vocabulary.yes) == len(words) - at > 1 for at in range(len(words)))


def _doubts(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether a part of the sentence takes back a yes before it."""
    at = _past_courtesies(words, vocabulary)
    doubt = longest(words, at, vocabulary.but, vocabulary.condition)
    is_doubt = doubt > 1 or 0 < doubt < len(words)  # a word alone may be a name: "Yes, Kim"
    return (is_doubt and doubt >= longest(words, at, vocabulary.yes)) or is_bare_no(words, vocabulary)


def is_bare_no(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether the words are one no and courtesies."""
    for at in range(len(words)):
        for count in lengths(words, at, vocabulary.no, vocabulary.leaving):
            around = (words[:at], words[at + count :])
            if all(covered(side, vocabulary.around) for side in around):
                return True
    return False


def is_mere_yes(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether the yes is one that machines begin with, too: "ok", "great"."""
    words = next(part for part in sentence.parts if not is_courteous(part, vocabulary))
    at = _past_courtesies(words, vocabulary)
    return phrase_of(words[at : at + longest(words, at, vocabulary.yes)]) in vocabulary.alone


def declines(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether it begins with a no that is not the beginning of something else, as "no longer" is."""
    parts = list(dropwhile(lambda part: is_courteous(part, vocabulary), sentence.parts))
    words = parts[0] if parts else ()
    at = _past_courtesies(words, vocabulary)
    noes = (vocabulary.no, vocabulary.not_me, vocabulary.never, vocabulary.leaving)
    if longest(sentence.words, 0, vocabulary.no) > max(1, longest(words, at, vocabulary.around, *noes, vocabulary.yes)):
        return True  # "thanks, but no thanks"
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


def is_unmistakable(sentence: Sentence, vocabulary: Vocabulary) -> bool:
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


def asks_for_silence(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether a sentence asks never to be asked again: as all it says, or in so many words."""
    if any(longest(words, at, vocabulary.never) >= _TELLING for at in range(len(words))):
        return True
    beside = (vocabulary.around, vocabulary.no, vocabulary.yes)
    return not covered(words, *beside) and covered(words, vocabulary.never, *beside)


def is_automatic(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether it tells what only programs, and people about them, write: "out of the office"."""
    words = sentence.words
    others = (vocabulary.yes, vocabulary.no, vocabulary.not_me, vocabulary.around)
    return any(longest(words, at, vocabulary.automatic) > longest(words, at, *others) for at in range(len(words)))


def is_courteous(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether the words are courtesies alone; "please do" is a yes."""
    at = 0
    while courtesy := longest(words, at, vocabulary.around):
        if longest(words, at, vocabulary.yes, vocabulary.no) > courtesy:
            return False
        at += courtesy
    return at == len(words)


def _past_courtesies(words: Sequence[Word], vocabulary: Vocabulary) -> int:
    """Where the words go on after courtesies; what is the beginning of more is none."""
    at = 0
    while courtesy := longest(words, at, vocabulary.around):
        if longest(words, at, vocabulary.yes, vocabulary.no, vocabulary.not_me, vocabulary.leaving) > courtesy:
            break
        at += courtesy
    return at
