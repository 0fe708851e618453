"""Sentences that ask to be taken off a list or sent no more: "Please do not send me any more of your emails"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailer.mail.inbound.command_words import Vocabulary, Word, lengths, longest, phrase_of
from mailer.mail.inbound.sentences import Sentence

_TELLING = 3
"""So many words of "never" ask for no more mail; fewer may be a slogan ("never again")."""

_MOST_WORDS = 60
"""Longer sentences are more than such a request."""

_State = tuple[int, bool, bool]
"""How far it was read, whether the request was met, and whether it is told what is not to be sent."""


def asks_to_leave(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether the sentence is nothing but such requests, what they are about, and courtesies.

    A request that follows another without an "and" takes it back: "I do not want to unsubscribe".
    """
    if len(sentence.words) > _MOST_WORDS:
        return False
    found = [_read(words, vocabulary) for part in sentence.parts for words in _joined(part, vocabulary)]
    together = {(False, False)}
    for ends in found:
        together = {(met or also, told or more) for met, told in together for also, more in ends}
    return (True, True) in together


def tells_plainly(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether such a request can be followed by anything: it begins with more than "stop" or "leave"."""
    words = sentence.words
    at = 0
    while courtesy := longest(words, at, vocabulary.around):
        at += courtesy
    request = longest(words, at, vocabulary.leaving, vocabulary.send_no_more)
    return phrase_of(words[at : at + request]) not in vocabulary.alone or request < len(words) - at


def _joined(part: Sequence[Word], vocabulary: Vocabulary) -> Iterator[Sequence[Word]]:
    """The words between conjunctions."""
    start = 0
    for at in range(len(part)):
        if (part[at].text,) in vocabulary.conjunction:
            yield part[start:at]
            start = at + 1
    yield part[start:]


def _read(words: Sequence[Word], vocabulary: Vocabulary) -> set[tuple[bool, bool]]:
    """In which ways all the words can be read: whether there is a request, and whether it is told of what."""
    states: set[_State] = {(0, False, False)}
    for at in range(len(words)):
        for state in [one for one in states if one[0] == at]:
            states |= _on(words, state, vocabulary)
    return {(met, told) for at, met, told in states if at == len(words)}


def _on(words: Sequence[Word], state: _State, vocabulary: Vocabulary) -> set[_State]:
    at, met, told = state
    found = {(at + count, met, told) for count in lengths(words, at, vocabulary.around)}
    found |= {(at + count, met, True) for count in lengths(words, at, vocabulary.sent)}
    if met:
        return found
    found |= {(at + count, True, told) for count in lengths(words, at, vocabulary.send_no_more)}
    for count in lengths(words, at, vocabulary.leaving):
        if phrase_of(words[at : at + count]) not in vocabulary.alone:
            found.add((at + count, True, True))
    return found | {(at + count, True, True) for count in lengths(words, at, vocabulary.never) if count >= _TELLING}
