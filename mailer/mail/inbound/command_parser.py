"""What people ask for in plain words, in the subject or in their own first lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from mailer.domain.address import Address, parse_address
from mailer.errors import AddressRefused
from mailer.mail.inbound.command_words import Vocabulary, Wish, Word, covered, longest, words_in
from mailer.mail.inbound.greeting import past_greeting
from mailer.mail.inbound.language_names import language_called
from mailer.mail.inbound.leave_sentences import asks_to_leave, tells_plainly
from mailer.mail.inbound.parse_mail import Heard
from mailer.mail.inbound.sentences import sentences, unwrapped
from mailer.mail.message.subject_prefix import bare_subject

_MOST, _LINES, _LINE = 5, 5, 300
"""Commands in a mail; lines of text, and characters of one, that are looked at."""
_ARGUMENT = re.compile(r"[\w.+-]{1,80}")
_TOKEN = re.compile(r"[a-z2-7]{20,40}")
_WITH_ARGUMENT = {Wish.SUBSCRIBE, Wish.UNSUBSCRIBE, Wish.CONFIRM}
_ASKED_POLITELY = {Wish.SUBSCRIBE, Wish.UNSUBSCRIBE, Wish.LANGUAGE}
"""What one wants to have done; "I want to help" asks for no help."""
_QUESTION = re.compile("[?؟]")
_END = "end"
_ADDRESS = re.compile(r"<?(?:mailto:)?([^\s<>(),:;\"'«»“”]{1,64}@[^\s<>(),:;\"'«»“”]{1,255}[^\W_])>?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing a person asked for."""

    command: Wish
    language: str | None = None
    """Of the word they used; None where several languages share it."""
    argument: str | None = None
    """After "language" a tag; after subscribe a tag too where a language stands there ("join tr", "join german"); else
    the one word, made alike, that stands after subscribe, unsubscribe or confirm: a list's name, a token, or neither.
    """


def asked(heard: Heard, vocabulary: Vocabulary, *, strict: bool, person: Address | None = None) -> tuple[Asked, ...]:
    """The commands of a mail in their order, at most five; `help` only where nothing else was asked for.

    Loose (a mail to `LIST-request@`): the subject without its `Re:`, else the first five of the person's own lines;
    a line counts if it begins with a command. Strict (a mail to people, or a reply to a letter): a whole subject that
    has no `Re:`, else a whole first line, must be nothing but a command and courtesies, for "Stop the road works!" is
    no command; more may follow a sentence that asks in so many words to be taken off. The writer's own address, and
    the `person`'s whom the mail is from, may stand in it; with anybody else's nothing asks to leave.
    """
    subject, replied = bare_subject(heard.subject)
    read, own = _strict if strict else _loose, [one for one in (heard.sender, person) if one]
    found = [] if strict and replied else list(read([past_greeting(_without(own, subject), vocabulary)], vocabulary))
    if not found:
        text = past_greeting(_without(own, heard.own_words), vocabulary)
        found = next(filter(None, (list(read(one.splitlines(), vocabulary)) for one in (text, unwrapped(text)))), [])
    distinct = list(dict.fromkeys(found))
    return tuple([one for one in distinct if one.command is not Wish.HELP] or distinct[:1])[:_MOST]


def _without(own: Sequence[Address], text: str) -> str:
    """`text` without these addresses."""
    keys = {one.key for one in own}
    return _ADDRESS.sub(lambda found: " " if _key(found[1]) in keys else found[0], text)


def _key(address: str) -> str | None:
    try:
        return parse_address(address).key
    except AddressRefused:
        return None


def _loose(lines: Iterable[str], vocabulary: Vocabulary) -> Iterator[Asked]:
    for line in _first(lines):
        if (one := _begun(line, vocabulary)) is not None:
            yield one


def _strict(lines: Iterable[str], vocabulary: Vocabulary) -> Iterator[Asked]:
    """The lines that are commands, from the first on; lines of courtesies before it do not count."""
    begun = False
    for line in _first(lines):
        if (one := _whole(line, vocabulary)) is not None:
            begun = True
            yield one
        elif begun or not _courteous(words_in(line[:_LINE]), vocabulary):
            return


def _first(lines: Iterable[str]) -> Iterator[str]:
    """The first lines that say something, up to one that ends what is said."""
    left = _LINES
    for line in lines:
        words = words_in(line[:_LINE])
        if line.strip() == "--" or [word.text for word in words] == [_END] or not left:
            return
        if words:
            left -= 1
            yield line


def _begun(line: str, vocabulary: Vocabulary) -> Asked | None:
    """What a line asks for that begins with a command, maybe after courtesies."""
    told, one = _taken_apart(line, vocabulary), _whole(line, vocabulary)
    if one is None and told.commands:
        one = _argued(*told.commands[0], told.rest, line)
    return None if one and one.command is Wish.UNSUBSCRIBE and "@" in line else one


def _whole(line: str, vocabulary: Vocabulary) -> Asked | None:
    """What a line asks for that is nothing but one command, courtesies and what belongs to the command."""
    return _one_command(line, vocabulary) or _leaving(line, vocabulary)


def _leaving(line: str, vocabulary: Vocabulary) -> Asked | None:
    """Whether the first sentence asks to be taken off; after a mere "stop" nothing may follow."""
    said = list(dropwhile(lambda one: _courteous(one.words, vocabulary), sentences(line[:_LINE])))
    if not said or not asks_to_leave(said[0], vocabulary):
        return None
    if said[0].asks and not any(longest(said[0].words, at, vocabulary.around) for at in range(len(said[0].words))):
        return None
    plain = tells_plainly(said[0], vocabulary) or all(_courteous(one.words, vocabulary) for one in said[1:])
    return Asked(Wish.UNSUBSCRIBE) if plain else None


def _one_command(line: str, vocabulary: Vocabulary) -> Asked | None:
    told = _taken_apart(line, vocabulary)
    wishes, languages = ({one[side] for one in told.commands} for side in (0, 1))
    if len(line) > _LINE or len(wishes) != 1:
        return None
    wish = told.commands[0][0]
    if told.longest_before > 1 and wish not in _ASKED_POLITELY:
        return None
    # "Subscribe?" asks whether to; "could you please remove me?" asks for it.
    if _QUESTION.search(line) and not (wish is Wish.UNSUBSCRIBE and told.courteous):
        return None
    one = _argued(wish, told.commands[0][1] if len(languages) == 1 else None, told.rest, line)
    return one if one and (not told.rest or wish is Wish.LANGUAGE or _is_token(one)) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    """A line, taken apart from its beginning on."""

    commands: tuple[tuple[Wish, str | None], ...]
    """Each with the language of its word."""
    courteous: bool
    longest_before: int
    """Words of the longest courtesy before the first command."""
    rest: Sequence[Word]
    """What is neither, without the courtesies around it."""


def _taken_apart(line: str, vocabulary: Vocabulary) -> _Line:
    words, at, before, courteous = words_in(line[:_LINE]), 0, 0, False
    commands: list[tuple[Wish, str | None]] = []
    while at < len(words):
        count, courtesy = longest(words, at, vocabulary.wishes), longest(words, at, vocabulary.around)
        if not count and not courtesy:
            break
        if count >= courtesy:
            commands.append(vocabulary.wishes[tuple(word.text for word in words[at : at + count])])
        else:
            courteous = True
            before = before if commands else max(before, courtesy)
        at += max(count, courtesy)
    rest = _stripped(words[at:], vocabulary)
    return _Line(commands=tuple(commands), courteous=courteous, longest_before=before, rest=rest)


def _is_token(one: Asked) -> bool:
    return one.command is Wish.CONFIRM and bool(one.argument and _TOKEN.fullmatch(one.argument))


def _argued(wish: Wish, language: str | None, rest: Sequence[Word], line: str) -> Asked | None:
    """The command with what follows it; "language" asks for nothing without one that we know."""
    if wish is Wish.LANGUAGE:
        tag = language_called(rest)
        return Asked(wish, language, tag) if tag else None
    if wish not in _WITH_ARGUMENT or not rest:
        return Asked(wish, language)
    argument = line[rest[0].start : rest[-1].end]
    if wish is Wish.SUBSCRIBE and (tag := language_called(rest)):
        return Asked(wish, language, tag)
    return Asked(wish, language, argument if _ARGUMENT.fullmatch(argument) else None)


def _stripped(words: Sequence[Word], vocabulary: Vocabulary) -> Sequence[Word]:
    """`words` without courtesies before and after them."""
    while courtesy := longest(words, 0, vocabulary.around):
        words = words[courtesy:]
    for at in range(len(words)):
        if _courteous(words[at:], vocabulary):
            return words[:at]
    return words


def _courteous(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether words are courtesies and nothing else."""
    return covered(words, vocabulary.around)
