"""Sentences that ask to be taken off a list or sent no more: "Please do not send me any more of your emails"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailer.mail.inbound.command_words import Vocabulary, Word, longest_match, match_lengths, to_phrase
from mailer.mail.inbound.sentences import Sentence

_MIN_EXPLICIT_WORDS = 3
"""So many words of "never" ask for no more mail; fewer may be a slogan ("never again")."""

_MAX_WORDS = 60
"""Longer sentences are more than such a request."""

_State = tuple[int, bool, bool]
"""How far it was read, whether the request was met, and whether it is told what is not to be sent."""


def asks_to_leave(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether the sentence is nothing but such requests, what they are about, and courtesies.

    A request that follows another without an "and" takes it back: "I do not want to unsubscribe".
    """
    if len(sentence.words) > _MAX_WORDS:
        return False
    found = [
        _parse_clause(words, vocabulary)
        for part in sentence.parts
        for words in _split_at_conjunctions(part, vocabulary)
    ]
    together = {(False, False)}
    for ends in found:
        together = {(met or also, told or more) for met, told in together for also, more in ends}
    return (True, True) in together


def is_explicit_request(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether such a request can be followed by anything: it begins with more than "stop" or "leave"."""
    words = sentence.words
    at = 0
    while courtesy := longest_match(words, at, vocabulary.courtesies):
        at += courtesy
    request = longest_match(words, at, vocabulary.leaving, vocabulary.send_no_more)
    return to_phrase(words[at : at + request]) not in vocabulary.ambiguous or request < len(words) - at


def _split_at_conjunctions(part: Sequence[Word], vocabulary: Vocabulary) -> Iterator[Sequence[Word]]:
    """The words between conjunctions."""
    start = 0
    for at in range(len(part)):
        if (part[at].text,) in vocabulary.conjunction:
            yield part[start:at]
            start = at + 1
    yield part[start:]


def _parse_clause(words: Sequence[Word], vocabulary: Vocabulary) -> set[tuple[bool, bool]]:
    """In which ways all the words can be read: whether there is a request, and whether it is told of what."""
    states: set[_State] = {(0, False, False)}
    for at in range(len(words)):
        for state in [one for one in states if one[0] == at]:
            states |= _next_states(words, state, vocabulary)
    return {(met, told) for at, met, told in states if at == len(words)}


def _next_states(words: Sequence[Word], state: _State, vocabulary: Vocabulary) -> set[_State]:
    at, met, told = state
    found = {(at + count, met, told) for count in match_lengths(words, at, vocabulary.courtesies)}
    found |= {(at + count, met, True) for count in match_lengths(words, at, vocabulary.sent)}
    if met:
        return found
    found |= {(at + count, True, told) for count in match_lengths(words, at, vocabulary.send_no_more)}
    for count in match_lengths(words, at, vocabulary.leaving):
        if to_phrase(words[at : at + count]) not in vocabulary.ambiguous:
            found.add((at + count, True, True))
    return found | {
        (at + count, True, True) for count in match_lengths(words, at, vocabulary.never) if count >= _MIN_EXPLICIT_WORDS
    }
