"""What people ask for in plain words, in the subject or in their own first lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from mailer.domain.address import Address, parse_address
from mailer.errors import AddressRefused
from mailer.mail.inbound.command_words import CommandName, Vocabulary, Word, consists_of, longest_match, split_words
from mailer.mail.inbound.greeting import strip_greeting
from mailer.mail.inbound.language_names import parse_language_name
from mailer.mail.inbound.leave_sentences import asks_to_leave, is_explicit_request
from mailer.mail.inbound.parse_mail import InboundMail
from mailer.mail.inbound.sentences import split_sentences, unwrap_lines
from mailer.mail.message.subject_prefix import strip_subject_prefixes

_MAX_COMMANDS, _MAX_LINES, _MAX_LINE_CHARACTERS = 5, 5, 300
"""Commands in a mail; lines of text, and characters of one, that are looked at."""
_ARGUMENT = re.compile(r"[\w.+-]{1,80}")
_TOKEN = re.compile(r"[a-z2-7]{20,40}")
_WITH_ARGUMENT = {CommandName.SUBSCRIBE, CommandName.UNSUBSCRIBE, CommandName.CONFIRM}
_AFTER_COURTESY = {CommandName.SUBSCRIBE, CommandName.UNSUBSCRIBE, CommandName.LANGUAGE}
"""What one wants to have done; "I want to help" asks for no help."""
_QUESTION = re.compile("[?؟]")
_END_COMMAND = "end"
_ADDRESS = re.compile(r"<?(?:mailto:)?([^\s<>(),:;\"'«»“”]{1,64}@[^\s<>(),:;\"'«»“”]{1,255}[^\W_])>?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """One thing a person asked for."""

    name: CommandName
    language: str | None = None
    """Of the word they used; None where several languages share it."""
    argument: str | None = None
    """After "language" a tag; after subscribe a tag too where a language stands there ("join tr", "join german"); else
    the one word, made alike, that stands after subscribe, unsubscribe or confirm: a list's name, a token, or neither.
    """


def parse_commands(
    mail: InboundMail, vocabulary: Vocabulary, *, strict: bool, person: Address | None = None
) -> tuple[ParsedCommand, ...]:
    """The commands of a mail in their order, at most five; `help` only where nothing else was asked for.

    Loose (a mail to `LIST-request@`): the subject without its `Re:`, else the first five of the person's own lines;
    a line counts if it begins with a command. Strict (a mail to people, or a reply to a letter): a whole subject that
    has no `Re:`, else a whole first line, must be nothing but a command and courtesies, for "Stop the road works!" is
    no command; more may follow a sentence that asks in so many words to be taken off. The writer's own address, and
    the `person`'s whom the mail is from, may stand in it; with anybody else's nothing asks to leave.
    """
    subject, replied = strip_subject_prefixes(mail.subject)
    read, own = _parse_strictly if strict else _parse_loosely, [one for one in (mail.sender, person) if one]
    found = (
        []
        if strict and replied
        else list(read([strip_greeting(_remove_addresses(own, subject), vocabulary)], vocabulary))
    )
    if not found:
        text = strip_greeting(_remove_addresses(own, mail.reply_text), vocabulary)
        found = next(filter(None, (list(read(one.splitlines(), vocabulary)) for one in (text, unwrap_lines(text)))), [])
    distinct = list(dict.fromkeys(found))
    return tuple([one for one in distinct if one.name is not CommandName.HELP] or distinct[:1])[:_MAX_COMMANDS]


def _remove_addresses(own: Sequence[Address], text: str) -> str:
    """`text` without these addresses."""
    keys = {one.key for one in own}
    return _ADDRESS.sub(lambda found: " " if _address_key(found[1]) in keys else found[0], text)


def _address_key(address: str) -> str | None:
    try:
        return parse_address(address).key
    except AddressRefused:
        return None


def _parse_loosely(lines: Iterable[str], vocabulary: Vocabulary) -> Iterator[ParsedCommand]:
    for line in _first_lines(lines):
        if (one := _parse_line_beginning(line, vocabulary)) is not None:
            yield one


def _parse_strictly(lines: Iterable[str], vocabulary: Vocabulary) -> Iterator[ParsedCommand]:
    """The lines that are commands, from the first on; lines of courtesies before it do not count."""
    begun = False
    for line in _first_lines(lines):
        if (one := _parse_whole_line(line, vocabulary)) is not None:
            begun = True
            yield one
        elif begun or not _is_courtesy(split_words(line[:_MAX_LINE_CHARACTERS]), vocabulary):
            return


def _first_lines(lines: Iterable[str]) -> Iterator[str]:
    """The first lines that say something, up to one that ends what is said."""
    left = _MAX_LINES
    for line in lines:
        words = split_words(line[:_MAX_LINE_CHARACTERS])
        if line.strip() == "--" or [word.text for word in words] == [_END_COMMAND] or not left:
            return
        if words:
            left -= 1
            yield line


def _parse_line_beginning(line: str, vocabulary: Vocabulary) -> ParsedCommand | None:
    """What a line asks for that begins with a command, maybe after courtesies."""
    told, one = _split_line(line, vocabulary), _parse_whole_line(line, vocabulary)
    if one is None and told.commands:
        one = _add_argument(*told.commands[0], told.rest, line)
    return None if one and one.name is CommandName.UNSUBSCRIBE and "@" in line else one


def _parse_whole_line(line: str, vocabulary: Vocabulary) -> ParsedCommand | None:
    """What a line asks for that is nothing but one command, courtesies and what belongs to the command."""
    return _parse_single_command(line, vocabulary) or _parse_leave_request(line, vocabulary)


def _parse_leave_request(line: str, vocabulary: Vocabulary) -> ParsedCommand | None:
    """Whether the first sentence asks to be taken off; after a mere "stop" nothing may follow."""
    said = list(
        dropwhile(lambda one: _is_courtesy(one.words, vocabulary), split_sentences(line[:_MAX_LINE_CHARACTERS]))
    )
    if not said or not asks_to_leave(said[0], vocabulary):
        return None
    if said[0].is_question and not any(
        longest_match(said[0].words, at, vocabulary.courtesies) for at in range(len(said[0].words))
    ):
        return None
    plain = is_explicit_request(said[0], vocabulary) or all(_is_courtesy(one.words, vocabulary) for one in said[1:])
    return ParsedCommand(CommandName.UNSUBSCRIBE) if plain else None


def _parse_single_command(line: str, vocabulary: Vocabulary) -> ParsedCommand | None:
    told = _split_line(line, vocabulary)
    wishes, languages = ({one[side] for one in told.commands} for side in (0, 1))
    if len(line) > _MAX_LINE_CHARACTERS or len(wishes) != 1:
        return None
    wish = told.commands[0][0]
    if told.longest_before > 1 and wish not in _AFTER_COURTESY:
        return None
    # "Subscribe?" asks whether to; "could you please remove me?" asks for it.
    if _QUESTION.search(line) and not (wish is CommandName.UNSUBSCRIBE and told.courteous):
        return None
    one = _add_argument(wish, told.commands[0][1] if len(languages) == 1 else None, told.rest, line)
    return one if one and (not told.rest or wish is CommandName.LANGUAGE or _is_token(one)) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class _ParsedLine:
    """A line, taken apart from its beginning on."""

    commands: tuple[tuple[CommandName, str | None], ...]
    """Each with the language of its word."""
    courteous: bool
    longest_before: int
    """Words of the longest courtesy before the first command."""
    rest: Sequence[Word]
    """What is neither, without the courtesies around it."""


def _split_line(line: str, vocabulary: Vocabulary) -> _ParsedLine:
    words, at, before, courteous = split_words(line[:_MAX_LINE_CHARACTERS]), 0, 0, False
    commands: list[tuple[CommandName, str | None]] = []
    while at < len(words):
        count, courtesy = longest_match(words, at, vocabulary.commands), longest_match(words, at, vocabulary.courtesies)
        if not count and not courtesy:
            break
        if count >= courtesy:
            commands.append(vocabulary.commands[tuple(word.text for word in words[at : at + count])])
        else:
            courteous = True
            before = before if commands else max(before, courtesy)
        at += max(count, courtesy)
    rest = _strip_courtesies(words[at:], vocabulary)
    return _ParsedLine(commands=tuple(commands), courteous=courteous, longest_before=before, rest=rest)


def _is_token(one: ParsedCommand) -> bool:
    return one.name is CommandName.CONFIRM and bool(one.argument and _TOKEN.fullmatch(one.argument))


def _add_argument(name: CommandName, language: str | None, rest: Sequence[Word], line: str) -> ParsedCommand | None:
    """The command with what follows it; "language" asks for nothing without one that we know."""
    if name is CommandName.LANGUAGE:
        tag = parse_language_name(rest)
        return ParsedCommand(name, language, tag) if tag else None
    if name not in _WITH_ARGUMENT or not rest:
        return ParsedCommand(name, language)
    argument = line[rest[0].start : rest[-1].end]
    if name is CommandName.SUBSCRIBE and (tag := parse_language_name(rest)):
        return ParsedCommand(name, language, tag)
    return ParsedCommand(name, language, argument if _ARGUMENT.fullmatch(argument) else None)


def _strip_courtesies(words: Sequence[Word], vocabulary: Vocabulary) -> Sequence[Word]:
    """`words` without courtesies before and after them."""
    while courtesy := longest_match(words, 0, vocabulary.courtesies):
        words = words[courtesy:]
    for at in range(len(words)):
        if _is_courtesy(words[at:], vocabulary):
            return words[:at]
    return words


def _is_courtesy(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether words are courtesies and nothing else."""
    return consists_of(words, vocabulary.courtesies)
