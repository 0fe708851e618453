"""Recognising sentences that say yes or no, in all our languages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile

from mailer.mail.inbound.command_words import Vocabulary, Word, consists_of, longest_match, match_lengths, to_phrase
from mailer.mail.inbound.leave_sentences import asks_to_leave
from mailer.mail.inbound.sentences import Sentence

_MIN_EXPLICIT_WORDS = 3
"""A phrase with this many words is explicit wherever it stands ("do not ask again"); a shorter one may not be."""


def agrees(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether the sentence begins with a yes and no part of it retracts it (no, but, if, a question)."""
    if is_clear_refusal(sentence, vocabulary) or (
        sentence.is_question and not _ends_with_yes(sentence.words, vocabulary)
    ):
        return False
    parts = list(dropwhile(lambda part: is_courtesy(part, vocabulary), sentence.parts))
    return bool(parts) and _is_yes(parts[0], vocabulary) and not any(_retracts(part, vocabulary) for part in parts[1:])


def _is_yes(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether the words are a yes and courtesies, or a yes followed by what the person wants."""
    agreeing = (vocabulary.yes, vocabulary.joining)
    at = _skip_courtesies(words, vocabulary)
    if longest_match(words, at, vocabulary.but) > longest_match(words, at, vocabulary.yes):
        return False
    if consists_of(words, vocabulary.courtesies, *agreeing):
        return True
    against = (vocabulary.but, vocabulary.condition, vocabulary.no, vocabulary.leaving)
    what = (vocabulary.courtesies, *agreeing, vocabulary.sent)
    return any(
        to_phrase(words[at : at + yes]) not in vocabulary.ambiguous
        and (longest_match(words, at + yes, vocabulary.wanting) or consists_of(words[at + yes :], *what))
        and not any(
            longest_match(words, number, *against) > longest_match(words, number, vocabulary.courtesies, *agreeing)
            for number in range(at + yes, len(words))
        )
        for yes in match_lengths(words, at, vocabulary.yes)
    )


def _ends_with_yes(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether a question is a yes: "why not?"."""
    return any(longest_match(words, at, vocabulary.yes) == len(words) - at > 1 for at in range(len(words)))


def _retracts(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether a part of the sentence retracts a yes before it."""
    at = _skip_courtesies(words, vocabulary)
    doubt = longest_match(words, at, vocabulary.but, vocabulary.condition)
    is_doubt = doubt > 1 or 0 < doubt < len(words)  # a word alone may be a name: "Yes, Kim"
    return (is_doubt and doubt >= longest_match(words, at, vocabulary.yes)) or is_bare_no(words, vocabulary)


def is_bare_no(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether the words are a single no and courtesies."""
    for at in range(len(words)):
        for count in match_lengths(words, at, vocabulary.no, vocabulary.leaving):
            around = (words[:at], words[at + count :])
            if all(consists_of(side, vocabulary.courtesies) for side in around):
                return True
    return False


def is_weak_yes(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether the yes is one that other sentences begin with, too: "ok", "great"."""
    words = next(part for part in sentence.parts if not is_courtesy(part, vocabulary))
    at = _skip_courtesies(words, vocabulary)
    return to_phrase(words[at : at + longest_match(words, at, vocabulary.yes)]) in vocabulary.ambiguous


def declines(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether the sentence begins with a no that does not begin another phrase, such as "no longer"."""
    parts = list(dropwhile(lambda part: is_courtesy(part, vocabulary), sentence.parts))
    words = parts[0] if parts else ()
    at = _skip_courtesies(words, vocabulary)
    noes = (vocabulary.no, vocabulary.not_me, vocabulary.never, vocabulary.leaving)
    if longest_match(sentence.words, 0, vocabulary.no) > max(
        1, longest_match(words, at, vocabulary.courtesies, *noes, vocabulary.yes)
    ):
        return True  # "thanks, but no thanks"
    no = longest_match(words, at, *noes)
    if no > longest_match(words, at, vocabulary.yes):
        weak = to_phrase(words[at : at + no]) in vocabulary.ambiguous
        rest = (vocabulary.courtesies, *noes, vocabulary.joining, vocabulary.yes)
        if not weak or (not sentence.is_question and consists_of(words[at + no :], *rest)):
            return True
    if sentence.is_question:
        return False
    ends = any(no == len(words) - at for at in range(len(words)) for no in match_lengths(words, at, vocabulary.no))
    return ends and consists_of(words, vocabulary.courtesies, vocabulary.yes, vocabulary.no)


def is_clear_refusal(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether the sentence says that it was somebody else, or asks to be taken off, without a condition."""
    words = sentence.words
    if any(_is_conditional(part, vocabulary) for part in sentence.parts):
        return False
    if asks_to_leave(sentence, vocabulary):
        return True
    return any(longest_match(words, at, vocabulary.not_me) for at in range(len(words)))


def _is_conditional(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether there is an "if" with words after it."""
    return any(
        longest_match(words, at, vocabulary.courtesies)
        < longest_match(words, at, vocabulary.condition)
        < len(words) - at
        for at in range(len(words))
    )


def asks_never_again(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether a sentence asks never to be asked again: as the whole sentence, or explicitly."""
    if any(longest_match(words, at, vocabulary.never) >= _MIN_EXPLICIT_WORDS for at in range(len(words))):
        return True
    beside = (vocabulary.courtesies, vocabulary.no, vocabulary.yes)
    return not consists_of(words, *beside) and consists_of(words, vocabulary.never, *beside)


def is_auto_reply_sentence(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether the sentence contains a phrase of automatic replies: "out of the office"."""
    words = sentence.words
    others = (vocabulary.yes, vocabulary.no, vocabulary.not_me, vocabulary.courtesies)
    return any(
        longest_match(words, at, vocabulary.automatic) > longest_match(words, at, *others) for at in range(len(words))
    )


def is_courtesy(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether the words are courtesies and nothing else; "please do" is a yes."""
    at = 0
    while courtesy := longest_match(words, at, vocabulary.courtesies):
        if longest_match(words, at, vocabulary.yes, vocabulary.no) > courtesy:
            return False
        at += courtesy
    return at == len(words)


def _skip_courtesies(words: Sequence[Word], vocabulary: Vocabulary) -> int:
    """The number of words of the courtesies at the beginning; one that begins a longer phrase does not count."""
    at = 0
    while courtesy := longest_match(words, at, vocabulary.courtesies):
        if longest_match(words, at, vocabulary.yes, vocabulary.no, vocabulary.not_me, vocabulary.leaving) > courtesy:
            break
        at += courtesy
    return at
