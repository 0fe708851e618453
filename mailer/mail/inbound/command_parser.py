"""Parsing the commands that people write in plain words, in the subject or in the first lines of their own text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from mailer.domain.address import Address, parse_address
from mailer.errors import AddressRefused
from mailer.mail.inbound.command_words import CommandName, Vocabulary, Word, consists_of, longest_match, split_words
from mailer.mail.inbound.language_names import parse_language_name
from mailer.mail.inbound.leave_sentences import asks_to_leave, is_explicit_request
from mailer.mail.inbound.parse_mail import InboundMail
from mailer.mail.inbound.sentences import split_sentences, strip_greeting, unwrap_lines
from mailer.mail.message.subject_prefix import strip_subject_prefixes

_MAX_COMMANDS, _MAX_LINES, _MAX_LINE_CHARACTERS = 5, 5, 300
"""How many commands, lines of text, and characters of a line are read."""
_ARGUMENT = re.compile(r"[\w.+-]{1,80}")
_TOKEN = re.compile(r"[a-z2-7]{20,40}")
_WITH_ARGUMENT = {CommandName.SUBSCRIBE, CommandName.UNSUBSCRIBE, CommandName.CONFIRM}
_AFTER_COURTESY = {CommandName.SUBSCRIBE, CommandName.UNSUBSCRIBE, CommandName.LANGUAGE}
"""Commands that may follow "I want to": "I want to help" does not ask for help."""
_QUESTION = re.compile("[?؟]")
_END_COMMAND = "end"
_ADDRESS = re.compile(r"<?(?:mailto:)?([^\s<>(),:;\"'«»“”]{1,64}@[^\s<>(),:;\"'«»“”]{1,255}[^\W_])>?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """One command of a person."""

    name: CommandName
    language: str | None = None
    """The language of the word they used; None if several languages share it."""
    argument: str | None = None
    """The language tag after "language" and after "subscribe" ("join tr", "join german").

    Otherwise the single word after subscribe, unsubscribe or confirm, normalized: a list name, a token, or neither.
    """


def parse_commands(
    mail: InboundMail, vocabulary: Vocabulary, *, strict: bool, person: Address | None = None
) -> tuple[ParsedCommand, ...]:
    """The commands of a mail in their order, at most five; `help` only if there is no other.

    Loose parsing is for mail to `LIST-request@`: the subject without `Re:` is read, or if it has no command the first
    five lines of the author's own text. A line counts if it begins with a command.

    Strict parsing is for mail that people read, and for replies to letters. The whole subject, if it has no `Re:`, or
    else the whole first line must consist of a command and courtesies: "Stop the road works!" is no command. More text
    may follow a sentence that explicitly asks to be taken off the list.

    The sender's address, and that of `person` if the sender is known to be this person, may stand in the text. A line
    with any other address does not unsubscribe.
    """
    parse_lines = _parse_strictly if strict else _parse_loosely
    own = [one for one in (mail.sender, person) if one]
    subject, is_reply = strip_subject_prefixes(mail.subject)
    commands: list[ParsedCommand] = []
    if not (strict and is_reply):
        commands = list(parse_lines([strip_greeting(_remove_addresses(own, subject), vocabulary)], vocabulary))
    if not commands:
        text = strip_greeting(_remove_addresses(own, mail.reply_text), vocabulary)
        readings = (list(parse_lines(one.splitlines(), vocabulary)) for one in (text, unwrap_lines(text)))
        commands = next(filter(None, readings), [])
    distinct = list(dict.fromkeys(commands))
    return tuple([one for one in distinct if one.name is not CommandName.HELP] or distinct[:1])[:_MAX_COMMANDS]


def _remove_addresses(own: Sequence[Address], text: str) -> str:
    """`text` without the addresses `own`."""
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
    """The commands at the beginning of the text, one a line; lines of courtesies before them are skipped."""
    begun = False
    for line in _first_lines(lines):
        if (one := _parse_whole_line(line, vocabulary)) is not None:
            begun = True
            yield one
        elif begun or not _is_courtesy(split_words(line[:_MAX_LINE_CHARACTERS]), vocabulary):
            return


def _first_lines(lines: Iterable[str]) -> Iterator[str]:
    """The first lines with words, up to "end" or a signature."""
    left = _MAX_LINES
    for line in lines:
        words = split_words(line[:_MAX_LINE_CHARACTERS])
        if line.strip() == "--" or [word.text for word in words] == [_END_COMMAND] or not left:
            return
        if words:
            left -= 1
            yield line


def _parse_line_beginning(line: str, vocabulary: Vocabulary) -> ParsedCommand | None:
    """The command that a line begins with, perhaps after courtesies."""
    parsed, command = _split_line(line, vocabulary), _parse_whole_line(line, vocabulary)
    if command is None and parsed.commands:
        command = _add_argument(*parsed.commands[0], parsed.rest, line)
    return None if command and command.name is CommandName.UNSUBSCRIBE and "@" in line else command


def _parse_whole_line(line: str, vocabulary: Vocabulary) -> ParsedCommand | None:
    """The command of a line that consists of one command, its argument and courtesies."""
    return _parse_single_command(line, vocabulary) or _parse_leave_request(line, vocabulary)


def _parse_leave_request(line: str, vocabulary: Vocabulary) -> ParsedCommand | None:
    """UNSUBSCRIBE if the first sentence asks to be taken off the list.

    Nothing but courtesies may follow a mere "stop", and a question has to contain a courtesy.
    """
    sentences = split_sentences(line[:_MAX_LINE_CHARACTERS])
    relevant = list(dropwhile(lambda one: _is_courtesy(one.words, vocabulary), sentences))
    if not relevant or not asks_to_leave(relevant[0], vocabulary):
        return None
    first, later = relevant[0], relevant[1:]
    if first.is_question and not any(
        longest_match(first.words, at, vocabulary.courtesies) for at in range(len(first.words))
    ):
        return None
    is_explicit = is_explicit_request(first, vocabulary) or all(_is_courtesy(one.words, vocabulary) for one in later)
    return ParsedCommand(CommandName.UNSUBSCRIBE) if is_explicit else None


def _parse_single_command(line: str, vocabulary: Vocabulary) -> ParsedCommand | None:
    parsed = _split_line(line, vocabulary)
    names, languages = ({one[side] for one in parsed.commands} for side in (0, 1))
    if len(line) > _MAX_LINE_CHARACTERS or len(names) != 1:
        return None
    name = parsed.commands[0][0]
    if parsed.longest_before > 1 and name not in _AFTER_COURTESY:
        return None
    # "Subscribe?" asks whether to; "could you please remove me?" is a request.
    if _QUESTION.search(line) and not (name is CommandName.UNSUBSCRIBE and parsed.has_courtesy):
        return None
    language = parsed.commands[0][1] if len(languages) == 1 else None
    command = _add_argument(name, language, parsed.rest, line)
    is_whole = not parsed.rest or name is CommandName.LANGUAGE or (command is not None and _is_token(command))
    return command if is_whole else None


@dataclass(frozen=True, kw_only=True, slots=True)
class _ParsedLine:
    """The command words and courtesies at the beginning of a line, and what follows them."""

    commands: tuple[tuple[CommandName, str | None], ...]
    """Each command with the language of its word."""
    has_courtesy: bool
    longest_before: int
    """The number of words of the longest courtesy before the first command."""
    rest: Sequence[Word]
    """The words that follow, without the courtesies around them."""


def _split_line(line: str, vocabulary: Vocabulary) -> _ParsedLine:
    words, at, before, has_courtesy = split_words(line[:_MAX_LINE_CHARACTERS]), 0, 0, False
    commands: list[tuple[CommandName, str | None]] = []
    while at < len(words):
        count, courtesy = longest_match(words, at, vocabulary.commands), longest_match(words, at, vocabulary.courtesies)
        if not count and not courtesy:
            break
        if count >= courtesy:
            commands.append(vocabulary.commands[tuple(word.text for word in words[at : at + count])])
        else:
            has_courtesy = True
            before = before if commands else max(before, courtesy)
        at += max(count, courtesy)
    rest = _strip_courtesies(words[at:], vocabulary)
    return _ParsedLine(commands=tuple(commands), has_courtesy=has_courtesy, longest_before=before, rest=rest)


def _is_token(command: ParsedCommand) -> bool:
    return command.name is CommandName.CONFIRM and bool(command.argument and _TOKEN.fullmatch(command.argument))


def _add_argument(name: CommandName, language: str | None, rest: Sequence[Word], line: str) -> ParsedCommand | None:
    """The command with the words that follow it as its argument; None for "language" without a known language."""
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
    """`words` without the courtesies before and after them."""
    while courtesy := longest_match(words, 0, vocabulary.courtesies):
        words = words[courtesy:]
    for at in range(len(words)):
        if _is_courtesy(words[at:], vocabulary):
            return words[:at]
    return words


def _is_courtesy(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """Whether the words consist of courtesies."""
    return consists_of(words, vocabulary.courtesies)
