"""Explaining a mail: how the service would classify it, the commands in it, and what decided."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mailer.domain.bounce import FeedbackKind, ParsedBounce, RecipientBounce
from mailer.domain.command_address import Command, CommandAddress, parse_local_part
from mailer.domain.keyring import Keyring
from mailer.domain.token import Purpose, read_token
from mailer.errors import TokenRefused
from mailer.mail.bounces.parse_bounce import parse_bounce
from mailer.mail.inbound.command_parser import ParsedCommand, parse_commands
from mailer.mail.inbound.command_words import CommandName, Vocabulary
from mailer.mail.inbound.parse_mail import InboundMail, parse_inbound_mail
from mailer.mail.inbound.yes_no_reply import Answer, parse_confirm_answer, parse_leave_answer
from mailer.mail.message.mime_parser import Part
from mailer.mail.message.parsed_message import ParsedMessage

_RECIPIENT_FIELDS = ("x-original-to", "delivered-to", "to", "cc")
_LOCAL_PART = re.compile(r"([^\s<>(),:;\"@]{1,100})@[^\s<>(),:;\"@]+")
_MAX_ADDRESSES = 50
_ANSWER_COMMANDS = {Answer.NO: "decline", Answer.NEVER: "never"}
_COMMAND_OF_ADDRESS = {Command.JOIN: "subscribe", Command.LEAVE: "unsubscribe", Command.HELP: "help"}
_REPORTS = {FeedbackKind.BOUNCE, FeedbackKind.DELAY, FeedbackKind.COMPLAINT}
_WITHOUT_COMMAND = {Command.POST, Command.OWNER, Command.ROLE, Command.RETURN_PATH, Command.COMPLAINT}


@dataclass(frozen=True, kw_only=True, slots=True)
class MailExplanation:
    """How the service classifies a mail."""

    kind: str
    """bounce, delay, complaint, auto-reply, command, answer (a person's answer to a letter) or other."""
    recipients: tuple[RecipientBounce, ...] = ()
    """The recipients that a bounce, delay or complaint is about, and what became of each."""
    complaint_type: str | None = None
    commands: tuple[str, ...] = ()
    """subscribe, unsubscribe, confirm, decline, never, help, info, which, or "language" and a tag.

    For an answer that neither agrees nor declines: neither.
    """
    return_path: str = "none"
    """Whether the mail was sent to a return path of ours: valid, forged, or none (also if that is not known)."""
    why: str
    """One sentence: what decided."""


def explain_mail(raw: bytes, vocabulary: Vocabulary, keyring: Keyring | None = None) -> MailExplanation:
    """The classification of a mail, given its octets; never fails.

    The envelope is taken from the header: the sender from Return-Path, the recipients from To, Cc, Delivered-To and
    X-Original-To. The return path is only checked with a `keyring`.
    """
    message = ParsedMessage(raw)
    explanation = _explain(message, vocabulary, keyring)
    return_path = _check_return_path(message.root, keyring) if keyring else "none"
    return replace(explanation, return_path=return_path)


def _check_return_path(mail: Part, keyring: Keyring) -> str:
    addresses = [one for one in _find_addresses(mail) if one.command is Command.RETURN_PATH]
    tokens = [one.token for one in addresses if one.token]
    try:
        for token in tokens:
            read_token(keyring, Purpose.RETURN_PATH, token)
    except TokenRefused:
        return "forged"
    return "valid" if tokens else "none"


def _answers_leave_question(address: CommandAddress, keyring: Keyring | None) -> bool:
    """Whether the address is the Reply-To of "do you want to leave?"; False without a keyring."""
    if address.command is not Command.LEAVE or address.token is None or keyring is None:
        return False
    try:
        read_token(keyring, Purpose.LEAVE_REPLY, address.token)
    except TokenRefused:
        return False
    return True


def _explain(message: ParsedMessage, vocabulary: Vocabulary, keyring: Keyring | None) -> MailExplanation:
    bounce = parse_bounce(message.raw)
    if bounce.kind in _REPORTS:
        return _explain_report(bounce)
    mail = parse_inbound_mail(message, message.root.fields.get("return-path", "unknown").strip())
    address = _find_command_address(message.root)
    is_leave_answer = _answers_leave_question(address, keyring)
    if mail.automatic_mark is not None:
        if address.command is Command.LEAVE and address.token and not is_leave_answer:
            why = "A program sent it, but to an address whose token lets it unsubscribe."
            return MailExplanation(kind="command", commands=("unsubscribe",), why=why)
        return MailExplanation(kind="auto-reply", why=f"No person wrote it: {mail.automatic_mark}.")
    if is_leave_answer:
        explanation = _explain_leave_answer(mail, vocabulary)
    else:
        explanation = _explain_personal_mail(mail, address, vocabulary)
    if not explanation.commands and bounce.kind in {FeedbackKind.AUTO_REPLY, FeedbackKind.RECEIPT}:
        return MailExplanation(kind="auto-reply", why="It reads like a vacation program's answer, or a receipt.")
    if mail.ambiguous_mark and explanation.commands:
        mark = mail.ambiguous_mark
        doubt = f" A program may have sent it ({mark}): it is obeyed where it came from its author, to us."
        return replace(explanation, why=explanation.why + doubt)
    return explanation


def _explain_report(bounce: ParsedBounce) -> MailExplanation:
    """A bounce, a delay or a complaint."""
    recipients = bounce.recipients or ((bounce.unnamed,) if bounce.unnamed else ())
    if bounce.kind is FeedbackKind.COMPLAINT:
        return MailExplanation(
            kind="complaint",
            recipients=recipients,
            complaint_type=bounce.complaint or "other",
            why=f"A report of the type {bounce.complaint} came from a mailbox provider.",
        )
    outcome = "is late, and still tried" if bounce.kind is FeedbackKind.DELAY else "was given up"
    why = f"A mail system tells that a letter {outcome}{f': {recipients[0].reason}' if recipients else ''}."
    return MailExplanation(kind=str(bounce.kind), recipients=recipients, why=why)


def _explain_leave_answer(mail: InboundMail, vocabulary: Vocabulary) -> MailExplanation:
    explanation = _explain_answer(parse_leave_answer(mail, vocabulary), "unsubscribe")
    # "Do not ask me again" does not say whether to stay on the list.
    return explanation if explanation.commands != ("never",) else _explain_answer(Answer.NEITHER, "unsubscribe")


def _explain_answer(answer: Answer, question: str) -> MailExplanation:
    """The effect of an answer to a letter that asks whether to `question`."""
    start = f"It answers a letter that asked whether to {question}, and"
    if answer is Answer.NEITHER:
        why = f"{start} neither agrees nor declines: it changes nothing, and the owner reads it."
        return MailExplanation(kind="answer", commands=("neither",), why=why)
    command = question if answer is Answer.YES else _ANSWER_COMMANDS[answer]
    return MailExplanation(kind="command", commands=(command,), why=f"{start} its first words mean {answer}.")


def _explain_personal_mail(mail: InboundMail, address: CommandAddress, vocabulary: Vocabulary) -> MailExplanation:
    if address.command is Command.CONFIRM:
        return _explain_answer(parse_confirm_answer(mail, vocabulary), "confirm")
    if (command := _COMMAND_OF_ADDRESS.get(address.command)) is not None:
        why = f"The address it was sent to asks to {command}." if command != "help" else "The address asks for help."
        return MailExplanation(kind="command", commands=(command,), why=why)
    strict = address.command is not Command.REQUEST
    if commands := parse_commands(mail, vocabulary, strict=strict):
        start = "A whole line is nothing but" if strict else "The subject or a first line begins with"
        why = f"{start} a command."
        return MailExplanation(kind="command", commands=tuple(map(_format_command, commands)), why=why)
    if not strict:
        why = "It went to an address for commands but holds none, so help is sent."
        return MailExplanation(kind="command", commands=("help",), why=why)
    if mail.is_reply:
        return MailExplanation(kind="answer", why="A person answers a letter, and no line is a command.")
    return MailExplanation(kind="other", why="A person wrote it; it answers no letter and holds no command.")


def _format_command(one: ParsedCommand) -> str:
    return f"{one.name} {one.argument}" if one.name is CommandName.LANGUAGE else str(one.name)


def _find_command_address(mail: Part) -> CommandAddress:
    """The first recipient that stands for a command; else the list's own address."""
    commands = (address for address in _find_addresses(mail) if address.command not in _WITHOUT_COMMAND)
    return next(commands, CommandAddress(Command.POST, None))


def _find_addresses(mail: Part) -> list[CommandAddress]:
    """The local parts of the recipients in the header, whatever their domain, at most 50."""
    values = " ".join(mail.fields.get(name, "") for name in _RECIPIENT_FIELDS)
    return [parse_local_part(local) for local in _LOCAL_PART.findall(values)[:_MAX_ADDRESSES]]
