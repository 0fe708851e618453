"""What a reply to "please confirm" says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from mailer.mail.greeting import past_greeting
from mailer.mail.vocabulary import Vocabulary, Word, longest, words_in

_LINE, _LINES = 300, 3
"""Characters of a line, and lines, that are looked at."""
_SHORT = 5
"""Words of a line that is an answer and nothing else."""
_QUESTION = re.compile("[?؟]")
_TELLING = 3
"""So many words mean what they say wherever they stand ("do not ask again"); fewer may not ("never again")."""


class Answer(StrEnum):
    """What a person says to "please confirm"."""

    YES = "yes"
    NO = "no"
    NEVER = "never"
    """No, and do not ask me again."""


def read_answer(own_words: str, vocabulary: Vocabulary) -> Answer:
    """The answer in a person's own first words, in any of our languages; a greeting before them is passed over.

    A line that begins with a no declines, and so does one that says something unmistakable ("that was not me")
    anywhere, or asks back without a yes. In doubt it is a no: nobody is joined who may not want it. What declines
    in no way agrees, for the letter says that any reply does.
    """
    lines = [line[:_LINE] for line in past_greeting(own_words, vocabulary).splitlines() if words_in(line[:_LINE])]
    first, later = words_in(lines[0]) if lines else [], map(words_in, lines[1:_LINES])
    if _never(first, vocabulary):
        return Answer.NEVER
    if not (_begins_with_no(first, vocabulary) or _anywhere(first, vocabulary) or _asks(lines, first, vocabulary)):
        return Answer.YES
    return Answer.NEVER if any(_never(words, vocabulary) for words in later) else Answer.NO


def says_yes(own_words: str, vocabulary: Vocabulary) -> bool:
    """Whether a person's own words begin with a yes, after a greeting."""
    words = words_in(past_greeting(own_words, vocabulary)[:_LINE])
    return longest(words, 0, vocabulary.yes) > 0


def _begins_with_no(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether there is a no before anything but courtesies, and not as the beginning of a yes: "no problem"."""
    at = 0
    while at < len(words):
        no = longest(words, at, vocabulary.no, vocabulary.not_me, vocabulary.never, vocabulary.leaving)
        yes, courtesy = longest(words, at, vocabulary.yes), longest(words, at, vocabulary.around)
        if no > yes and no >= courtesy:
            return True
        if yes or not courtesy:
            return False
        at += courtesy
    return False


def _anywhere(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether something unmistakable stands anywhere; in a short line without a yes any no is."""
    if any(longest(words, at, vocabulary.not_me) for at in range(len(words))):
        return True
    if len(words) > _SHORT or longest(words, 0, vocabulary.yes):
        return False
    return any(longest(words, at, vocabulary.no) > longest(words, at, vocabulary.yes) for at in range(len(words)))


def _asks(lines: Sequence[str], words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether the first line asks back ("Who are you?") and does not begin with a yes."""
    return bool(lines and _QUESTION.search(lines[0])) and not longest(words, 0, vocabulary.yes)


def _never(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether a line asks never to be asked again: as all it says, or in so many words."""
    at, seen = 0, False
    while at < len(words):
        never = longest(words, at, vocabulary.never)
        other = longest(words, at, vocabulary.around, vocabulary.no, vocabulary.yes)
        if not (never or other):
            break
        seen = seen or never >= max(other, 1)
        at += max(never, other)
    if seen and at == len(words):
        return True
    return any(longest(words, at, vocabulary.never) >= _TELLING for at in range(len(words)))
