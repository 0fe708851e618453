"""The words of commands, of yes and no, and of courtesies in all our languages, read from the locale catalogues."""

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
"""A Chinese character counts as a word."""
_COMMA = re.compile(r"[,،，、]")
_WORD = re.compile(r"[㐀-鿿]|[^\W_㐀-鿿]+(?:'[^\W_㐀-鿿]+)*")

Phrase = tuple[str, ...]


class CommandName(StrEnum):
    """The commands that a person may give in words."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    CONFIRM = "confirm"
    HELP = "help"
    INFO = "info"
    LANGUAGE = "language"
    WHICH = "which"


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text, normalized, and its position in the text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """The phrases of all our languages together, since people need not reply in the language we wrote in."""

    commands: Mapping[Phrase, tuple[CommandName, str | None]]
    """A command phrase -> the command and its language, or None if several languages share the phrase."""
    yes: frozenset[Phrase]
    no: frozenset[Phrase]
    not_me: frozenset[Phrase]
    never: frozenset[Phrase]
    greetings: frozenset[Phrase]
    courtesies: frozenset[Phrase]
    """Courtesies and greetings, which may stand around a command."""
    joining: frozenset[Phrase]
    """The phrases that ask to subscribe, and those of several words that confirm."""
    leaving: frozenset[Phrase]
    """The phrases that ask to unsubscribe."""
    ambiguous: frozenset[Phrase]
    """Phrases of yes, no and leaving that other sentences begin with, too: "no longer", "stop by"."""
    wanting: frozenset[Phrase]
    """Phrases that may follow a yes, with anything after them: "yes I want ..."."""
    but: frozenset[Phrase]
    """Phrases that retract a yes, or ask who we are."""
    condition: frozenset[Phrase]
    """Phrases that make a sentence conditional: if."""
    send_no_more: frozenset[Phrase]
    """Phrases that begin a request to send no more."""
    sent: frozenset[Phrase]
    """Objects of such a request, and other words in it."""
    conjunction: frozenset[Phrase]
    automatic: frozenset[Phrase]
    """Phrases of vacation programs, ticket systems and filters."""


def pgettext(_context: str, message: str) -> str:
    """`message` itself; translators' tools find it by this function's name."""
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
    """The vocabulary in the catalogues of a folder; read once."""
    by_message: dict[str, dict[str, list[Phrase]]] = {message: {} for message in MESSAGES}
    for catalogue in sorted(locale_directory.glob("*.po")):
        with catalogue.open("rb") as file:
            messages = read_po(file, locale=catalogue.stem, abort_invalid=True)
        for message, by_language in by_message.items():
            entry = messages.get(message, CONTEXT)
            by_language[catalogue.stem] = list(_split_phrases(str(entry.string))) if entry else []
    together = {
        message: frozenset(one for phrases in languages.values() for one in phrases)
        for message, languages in by_message.items()
    }
    return Vocabulary(
        commands=_merge_commands(by_message),
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
    """The words of a text, normalized, without punctuation and apostrophes.

    Their positions are those in `normalize_text(text)`, not in `text`.
    """
    return [
        Word(found[0].replace("'", ""), found.start(), found.end()) for found in _WORD.finditer(normalize_text(text))
    ]


def longest_match(words: Sequence[Word], at: int, *phrases: Collection[Phrase]) -> int:
    """The number of words of the longest phrase of `phrases` that begins at word `at`; 0 if there is none."""
    return max(match_lengths(words, at, *phrases), default=0)


def consists_of(words: Sequence[Word], *phrases: Collection[Phrase]) -> bool:
    """Whether the words are a sequence of phrases of `phrases`, and nothing else."""
    ends = {0}
    for at in range(len(words)):
        if at in ends:
            ends |= {at + count for count in match_lengths(words, at, *phrases)}
    return len(words) in ends


def match_lengths(words: Sequence[Word], at: int, *phrases: Collection[Phrase]) -> list[int]:
    """The numbers of words of all phrases of `phrases` that begin at word `at`."""
    ahead = to_phrase(words[at : at + MAX_PHRASE_WORDS])
    return [count for count in range(1, len(ahead) + 1) if any(ahead[:count] in some for some in phrases)]


def to_phrase(words: Sequence[Word]) -> Phrase:
    """The texts of the words."""
    return tuple(word.text for word in words)


def _split_phrases(text: str) -> Iterator[Phrase]:
    for phrase in _COMMA.split(text):
        if words := split_words(phrase):
            yield tuple(word.text for word in words)


def _merge_commands(
    by_message: Mapping[str, Mapping[str, list[Phrase]]],
) -> dict[Phrase, tuple[CommandName, str | None]]:
    commands: dict[Phrase, tuple[CommandName, str | None]] = {}
    for name in CommandName:
        for language, phrases in by_message[name].items():
            for phrase in phrases:
                known = commands.get(phrase)
                commands[phrase] = (name, language if known is None or known[1] == language else None)
    return commands
