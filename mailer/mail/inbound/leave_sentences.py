"""Recognising sentences that ask to be taken off a list: "Please do not send me any more of your emails"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailer.mail.inbound.command_words import Vocabulary, Word, longest_match, match_lengths, to_phrase
from mailer.mail.inbound.sentences import Sentence

_MIN_EXPLICIT_WORDS = 3
"""A phrase of "never" with this many words asks for no more mail; a shorter one may be a slogan ("never again")."""

_MAX_WORDS = 60
"""A longer sentence says more than such a request."""

_State = tuple[int, bool, bool]
"""How many words were read, whether a request was among them, and whether its object was (what not to send)."""


def asks_to_leave(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether the sentence consists of such requests, their objects, and courtesies.

    A request that follows another without an "and" retracts it: "I do not want to unsubscribe".
    """
    if len(sentence.words) > _MAX_WORDS:
        return False
    found = [
        _parse_clause(words, vocabulary)
        for part in sentence.parts
        for words in _split_at_conjunctions(part, vocabulary)
    ]
    combined = {(False, False)}
    for ends in found:
        combined = {
            (has_request or also_request, has_object or also_object)
            for has_request, has_object in combined
            for also_request, also_object in ends
        }
    return (True, True) in combined


def is_explicit_request(sentence: Sentence, vocabulary: Vocabulary) -> bool:
    """Whether any text may follow such a request: it begins with more than "stop" or "leave"."""
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
    """The ways to read all the words, each as whether there is a request, and whether there is an object."""
    states: set[_State] = {(0, False, False)}
    for at in range(len(words)):
        for state in [one for one in states if one[0] == at]:
            states |= _next_states(words, state, vocabulary)
    return {(has_request, has_object) for at, has_request, has_object in states if at == len(words)}


def _next_states(words: Sequence[Word], state: _State, vocabulary: Vocabulary) -> set[_State]:
    """The states after one more phrase."""
    at, has_request, has_object = state
    found = {(at + count, has_request, has_object) for count in match_lengths(words, at, vocabulary.courtesies)}
    found |= {(at + count, has_request, True) for count in match_lengths(words, at, vocabulary.sent)}
    if has_request:
        return found
    found |= {(at + count, True, has_object) for count in match_lengths(words, at, vocabulary.send_no_more)}
    for count in match_lengths(words, at, vocabulary.leaving):
        if to_phrase(words[at : at + count]) not in vocabulary.ambiguous:
            found.add((at + count, True, True))
    return found | {
        (at + count, True, True) for count in match_lengths(words, at, vocabulary.never) if count >= _MIN_EXPLICIT_WORDS
    }
