"""What the service would make of a mail: its kind, the commands in it, and what decided."""

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
from mailer.mail.inbound.parse_mail import InboundMail, parse_inbound_part
from mailer.mail.inbound.yes_no_reply import Answer, parse_confirm_answer, parse_leave_answer
from mailer.mail.message.mime_parser import Part, parse_mime

_RECIPIENT_FIELDS = ("x-original-to", "delivered-to", "to", "cc")
_LOCAL_PART = re.compile(r"([^\s<>(),:;\"@]{1,100})@[^\s<>(),:;\"@]+")
_MAX_ADDRESSES = 50
_ANSWER_COMMANDS = {Answer.NO: "decline", Answer.NEVER: "never"}
_COMMAND_NAMES = {Command.JOIN: "subscribe", Command.LEAVE: "unsubscribe", Command.HELP: "help"}
_REPORTS = {FeedbackKind.BOUNCE, FeedbackKind.DELAY, FeedbackKind.COMPLAINT}
_FOR_HUMANS = {Command.POST, Command.OWNER, Command.ROLE, Command.RETURN_PATH, Command.COMPLAINT}


@dataclass(frozen=True, kw_only=True, slots=True)
class MailExplanation:
    """What a mail is to us."""

    kind: str
    """bounce, delay, complaint, auto-reply, command, answer (of a person to a letter) or other."""
    recipients: tuple[RecipientBounce, ...] = ()
    """Whom a bounce, delay or complaint is about, and what became of it."""
    complaint_type: str | None = None
    commands: tuple[str, ...] = ()
    """subscribe, unsubscribe, confirm, decline, never, help, info, which, or "language" and a tag.

    Of an answer that neither agrees nor declines: neither.
    """
    return_path: str = "none"
    """Whether it went to a return path of ours: valid, forged, or none (that could be told)."""
    why: str
    """One sentence: what decided."""


def explain_mail(raw: bytes, vocabulary: Vocabulary, keyring: Keyring | None = None) -> MailExplanation:
    """What the octets of a mail would be to us; never fails, whatever they are.

    Its `Return-Path` is believed to be the envelope sender, and its To, Cc, Delivered-To and X-Original-To
    to be where it went. With a `keyring` it is told whether that was a return path of ours.
    """
    mail = parse_mime(raw)
    explained = _explain(raw, mail, vocabulary, keyring)
    return replace(explained, return_path=_check_return_path(mail, keyring) if keyring else "none")


def _check_return_path(mail: Part, keyring: Keyring) -> str:
    told = " ".join(mail.fields.get(name, "") for name in _RECIPIENT_FIELDS)
    addresses = [parse_local_part(local) for local in _LOCAL_PART.findall(told)[:_MAX_ADDRESSES]]
    tokens = [one.token for one in addresses if one.command is Command.RETURN_PATH and one.token]
    try:
        for token in tokens:
            read_token(keyring, Purpose.RETURN_PATH, token)
    except TokenRefused:
        return "forged"
    return "valid" if tokens else "none"


def _is_asked_about_leaving(to: CommandAddress, keyring: Keyring | None) -> bool:
    """Whether it went where a reply to "do you want to leave?" goes; without a keyring that cannot be told."""
    if to.command is not Command.LEAVE or to.token is None or keyring is None:
        return False
    try:
        read_token(keyring, Purpose.LEAVE_REPLY, to.token)
    except TokenRefused:
        return False
    return True


def _explain(raw: bytes, mail: Part, vocabulary: Vocabulary, keyring: Keyring | None) -> MailExplanation:
    returned = parse_bounce(raw)
    if returned.kind in _REPORTS:
        return _explain_report(returned)
    heard = parse_inbound_part(mail, mail.fields.get("return-path", "unknown").strip())
    to = _find_command_address(mail)
    leaving = _is_asked_about_leaving(to, keyring)
    if heard.automatic_mark is not None:
        if to.command is Command.LEAVE and to.token and not leaving:
            why = "A program sent it, but to an address whose token lets it unsubscribe."
            return MailExplanation(kind="command", commands=("unsubscribe",), why=why)
        return MailExplanation(kind="auto-reply", why=f"No person wrote it: {heard.automatic_mark}.")
    told = _explain_leave_answer(heard, vocabulary) if leaving else _explain_personal_mail(heard, to, vocabulary)
    if not told.commands and returned.kind in {FeedbackKind.AUTO_REPLY, FeedbackKind.RECEIPT}:
        return MailExplanation(kind="auto-reply", why="It reads like a vacation program's answer, or a receipt.")
    if heard.ambiguous_mark and told.commands:
        doubt = (
            f" A program may have sent it ({heard.ambiguous_mark}): it is obeyed where it came from its author, to us."
        )
        return replace(told, why=told.why + doubt)
    return told


def _explain_report(returned: ParsedBounce) -> MailExplanation:
    """A bounce, a delay or a complaint."""
    of = returned.recipients or ((returned.unnamed,) if returned.unnamed else ())
    if returned.kind is FeedbackKind.COMPLAINT:
        why = f"A report of the type {returned.complaint} came from a mailbox provider."
        return MailExplanation(kind="complaint", recipients=of, complaint_type=returned.complaint or "other", why=why)
    saying = "is late, and still tried" if returned.kind is FeedbackKind.DELAY else "was given up"
    why = f"A mail system tells that a letter {saying}{f': {of[0].reason}' if of else ''}."
    return MailExplanation(kind=str(returned.kind), recipients=of, why=why)


def _explain_leave_answer(mail: InboundMail, vocabulary: Vocabulary) -> MailExplanation:
    told = _explain_answer(parse_leave_answer(mail, vocabulary), "unsubscribe")
    # Who does not want to be asked again has not said whether to stay.
    return told if told.commands != ("never",) else _explain_answer(Answer.NEITHER, "unsubscribe")


def _explain_answer(answer: Answer, asked_to: str) -> MailExplanation:
    """What an answer to a letter that asks does."""
    told = f"It answers a letter that asked whether to {asked_to}, and"
    if answer is Answer.NEITHER:
        why = f"{told} neither agrees nor declines: it changes nothing, and the owner reads it."
        return MailExplanation(kind="answer", commands=("neither",), why=why)
    doing = asked_to if answer is Answer.YES else _ANSWER_COMMANDS[answer]
    return MailExplanation(kind="command", commands=(doing,), why=f"{told} its first words mean {answer}.")


def _explain_personal_mail(mail: InboundMail, to: CommandAddress, vocabulary: Vocabulary) -> MailExplanation:
    if to.command is Command.CONFIRM:
        return _explain_answer(parse_confirm_answer(mail, vocabulary), "confirm")
    if (doing := _COMMAND_NAMES.get(to.command)) is not None:
        why = f"The address it was sent to asks to {doing}." if doing != "help" else "The address asks for help."
        return MailExplanation(kind="command", commands=(doing,), why=why)
    strict = to.command is not Command.REQUEST
    if told := parse_commands(mail, vocabulary, strict=strict):
        where = (
            "A whole line is nothing but a command." if strict else "The subject or a first line begins with a command."
        )
        return MailExplanation(kind="command", commands=tuple(map(_format_command, told)), why=where)
    if not strict:
        why = "It went to an address for commands but holds none, so help is sent."
        return MailExplanation(kind="command", commands=("help",), why=why)
    if mail.is_reply:
        return MailExplanation(kind="answer", why="A person answers a letter, and no line is a command.")
    return MailExplanation(kind="other", why="A person wrote it; it answers no letter and holds no command.")


def _format_command(one: ParsedCommand) -> str:
    return f"{one.command} {one.argument}" if one.command is CommandName.LANGUAGE else str(one.command)


def _find_command_address(mail: Part) -> CommandAddress:
    """The first address that asks for something, of all that it was sent to."""
    told = " ".join(mail.fields.get(name, "") for name in _RECIPIENT_FIELDS)
    addresses = [parse_local_part(local) for local in _LOCAL_PART.findall(told)[:_MAX_ADDRESSES]]
    asking = (address for address in addresses if address.command not in _FOR_HUMANS)
    return next(asking, CommandAddress(Command.POST, None))
