"""The words people write to us: commands, yes and no, courtesies; read from the catalogues of all languages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from mailer.mail.message.normalize_text import normalize_text

CONTEXT = "command"
MAX_PHRASE_WORDS = 14
"""Words; a Chinese character is a word here."""
_COMMA = re.compile(r"[,،，、]")
_WORD = re.compile(r"[㐀-鿿]|[^\W_㐀-鿿]+(?:'[^\W_㐀-鿿]+)*")

Phrase = tuple[str, ...]


class CommandName(StrEnum):
    """What a person may ask for in words."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    CONFIRM = "confirm"
    HELP = "help"
    INFO = "info"
    LANGUAGE = "language"
    WHICH = "which"


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text, made alike, and where it stands there."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """The phrases of all our languages together: nobody has to write in the language we wrote in."""

    commands: Mapping[Phrase, tuple[CommandName, str | None]]
    """A command phrase -> what it asks for, and its language, or None where several share it."""
    yes: frozenset[Phrase]
    no: frozenset[Phrase]
    not_me: frozenset[Phrase]
    never: frozenset[Phrase]
    greetings: frozenset[Phrase]
    courtesies: frozenset[Phrase]
    """Courtesies and greetings: what may stand around a command."""
    joining: frozenset[Phrase]
    """The phrases of `wishes` that ask to subscribe, and those of several words that confirm."""
    leaving: frozenset[Phrase]
    """The phrases of `wishes` that ask to unsubscribe."""
    ambiguous: frozenset[Phrase]
    """Those of yes, no and leaving that begin other sentences too: "no longer", "stop by"."""
    wanting: frozenset[Phrase]
    """What may follow a yes, and anything after it: "yes I want ..."."""
    but: frozenset[Phrase]
    """What takes a yes back, or asks who we are."""
    condition: frozenset[Phrase]
    """What makes a sentence depend on something: if."""
    send_no_more: frozenset[Phrase]
    """Beginnings of requests to send no more."""
    sent: frozenset[Phrase]
    """What is sent, and other words of such a request."""
    conjunction: frozenset[Phrase]
    automatic: frozenset[Phrase]
    """What vacation programs, ticket systems and filters write."""


def pgettext(_context: str, message: str) -> str:
    """`message`, which the tools of translators find by this function's name."""
    return message


MESSAGES = (
    # Translators: What people write to join a list: words and phrases with commas between them, common slips too.
    pgettext("command", "subscribe"),
    # Translators: What people write to leave a list.
    pgettext("command", "unsubscribe"),
    # Translators: What people write to confirm that they want to join.
    pgettext("command", "confirm"),
    # Translators: What people write to be sent the commands.
    pgettext("command", "help"),
    # Translators: What people write to be told about a list.
    pgettext("command", "info"),
    # Translators: What people write before the language they want letters in.
    pgettext("command", "language"),
    # Translators: What people write to be told which lists they are on.
    pgettext("command", "which"),
    # Translators: Answers to “please confirm” that agree; also what begins like a no and is none (“no problem”).
    pgettext("command", "yes"),
    # Translators: Answers to “please confirm” that begin with a no.
    pgettext("command", "no"),
    # Translators: What declines wherever it stands in the answer's first line.
    pgettext("command", "not me"),
    # Translators: What asks never to be asked again; a single word only where it is the whole line.
    pgettext("command", "never"),
    # Translators: Words of yes, no and unsubscribe that begin other sentences too (“no longer”): they count only where
    # nothing but courtesies, a comma or the end of the sentence follows.
    pgettext("command", "alone"),
    # Translators: What may follow a yes, and anything after it: “yes I want ...”.
    pgettext("command", "i want"),
    # Translators: What takes a yes back, or asks who we are, at the beginning of a part of the sentence: but, who, why.
    pgettext("command", "but"),
    # Translators: What makes a sentence depend on something: nothing in it declines (“if this came by mistake”).
    pgettext("command", "if"),
    # Translators: Beginnings of requests to send no more; with words of the next entry they ask to leave.
    pgettext("command", "do not send"),
    # Translators: What is sent, and other words that may stand in such a request.
    pgettext("command", "emails"),
    # Translators: What joins two requests in a sentence: and, or.
    pgettext("command", "and"),
    # Translators: What vacation programs, ticket systems and filters write: nothing beside it is an answer.
    pgettext("command", "automatic"),
    # Translators: Courtesy and other words that may stand around a command and change nothing.
    pgettext("command", "please"),
    # Translators: Greetings, which are passed over.
    pgettext("command", "hello"),
)


@cache
def load_vocabulary(locale_directory: Path) -> Vocabulary:
    """What the catalogues of a folder say people write; read once."""
    said: dict[str, dict[str, list[Phrase]]] = {message: {} for message in MESSAGES}
    for catalogue in sorted(locale_directory.glob("*.po")):
        with catalogue.open("rb") as file:
            messages = read_po(file, locale=catalogue.stem, abort_invalid=True)
        for message, by_language in said.items():
            entry = messages.get(message, CONTEXT)
            by_language[catalogue.stem] = list(_split_phrases(str(entry.string))) if entry else []
    together = {
        message: frozenset(one for phrases in languages.values() for one in phrases)
        for message, languages in said.items()
    }
    return Vocabulary(
        commands=_merge_commands(said),
        yes=together["yes"],
        no=together["no"],
        not_me=together["not me"],
        never=together["never"],
        greetings=together["hello"],
        courtesies=together["please"] | together["hello"],
        joining=together["subscribe"] | {phrase for phrase in together["confirm"] if len(phrase) > 1},
        leaving=together["unsubscribe"],
        ambiguous=together["alone"],
        wanting=together["i want"],
        but=together["but"],
        condition=together["if"],
        send_no_more=together["do not send"],
        sent=together["emails"],
        conjunction=together["and"],
        automatic=together["automatic"],
    )


def split_words(text: str) -> list[Word]:
    """The words of a text: made alike, punctuation and apostrophes left out.

    Their places are those in `folded(text)`, not in `text`.
    """
    return [
        Word(found[0].replace("'", ""), found.start(), found.end()) for found in _WORD.finditer(normalize_text(text))
    ]


def longest_match(words: Sequence[Word], at: int, *phrases: Collection[Phrase]) -> int:
    """How many words from `at` are a phrase of any of `phrases`, the longest; 0 where none is."""
    return max(match_lengths(words, at, *phrases), default=0)


def consists_of(words: Sequence[Word], *phrases: Collection[Phrase]) -> bool:
    """Whether the words are phrases of `phrases` one after another, and nothing else."""
    ends = {0}
    for at in range(len(words)):
        if at in ends:
            ends |= {at + count for count in match_lengths(words, at, *phrases)}
    return len(words) in ends


def match_lengths(words: Sequence[Word], at: int, *phrases: Collection[Phrase]) -> list[int]:
    """How many words from `at` are a phrase of any of `phrases`: every number that is."""
    ahead = to_phrase(words[at : at + MAX_PHRASE_WORDS])
    return [count for count in range(1, len(ahead) + 1) if any(ahead[:count] in some for some in phrases)]


def to_phrase(words: Sequence[Word]) -> Phrase:
    """The words alone."""
    return tuple(word.text for word in words)


def _split_phrases(listed: str) -> Iterator[Phrase]:
    for spelled in _COMMA.split(listed):
        if words := split_words(spelled):
            yield tuple(word.text for word in words)


def _merge_commands(said: Mapping[str, Mapping[str, list[Phrase]]]) -> dict[Phrase, tuple[CommandName, str | None]]:
    wishes: dict[Phrase, tuple[CommandName, str | None]] = {}
    for wish in CommandName:
        for language, phrases in said[wish].items():
            for phrase in phrases:
                known = wishes.get(phrase)
                wishes[phrase] = (wish, language if known is None or known[1] == language else None)
    return wishes
