"""What the service would make of a mail: its kind, the commands in it, and what decided."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mailer.domain.bounce import Returned, ReturnedFor, ReturnKind
from mailer.domain.command_address import Command, CommandAddress, parse_local_part
from mailer.domain.keyring import Keyring
from mailer.domain.token import Purpose, read_token
from mailer.errors import TokenRefused
from mailer.mail.bounces.parse_bounce import read_return
from mailer.mail.inbound.command_parser import Asked, asked
from mailer.mail.inbound.command_words import Vocabulary, Wish
from mailer.mail.inbound.parse_mail import Heard, read_part
from mailer.mail.inbound.yes_no_reply import Answer, answer_about_leaving, answer_of
from mailer.mail.message.mime_parser import Part, split_mail

_SENT_TO = ("x-original-to", "delivered-to", "to", "cc")
_LOCAL = re.compile(r"([^\s<>(),:;\"@]{1,100})@[^\s<>(),:;\"@]+")
_MOST_ADDRESSES = 50
_ANSWERS = {Answer.NO: "decline", Answer.NEVER: "never"}
_DOING = {Command.JOIN: "subscribe", Command.LEAVE: "unsubscribe", Command.HELP: "help"}
_REPORTS = {ReturnKind.BOUNCE, ReturnKind.DELAY, ReturnKind.COMPLAINT}
_FOR_PEOPLE = {Command.POST, Command.OWNER, Command.ROLE, Command.RETURN_PATH, Command.COMPLAINT}


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """What a mail is to us."""

    kind: str
    """bounce, delay, complaint, auto-reply, command, answer (of a person to a letter) or other."""
    recipients: tuple[ReturnedFor, ...] = ()
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


def explain(raw: bytes, vocabulary: Vocabulary, keyring: Keyring | None = None) -> Explained:
    """What the octets of a mail would be to us; never fails, whatever they are.

    Its `Return-Path` is believed to be the envelope sender, and its To, Cc, Delivered-To and X-Original-To
    to be where it went. With a `keyring` it is told whether that was a return path of ours.
    """
    mail = split_mail(raw)
    explained = _explained(raw, mail, vocabulary, keyring)
    return replace(explained, return_path=_return_path(mail, keyring) if keyring else "none")


def _return_path(mail: Part, keyring: Keyring) -> str:
    told = " ".join(mail.fields.get(name, "") for name in _SENT_TO)
    addresses = [parse_local_part(local) for local in _LOCAL.findall(told)[:_MOST_ADDRESSES]]
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


def _explained(raw: bytes, mail: Part, vocabulary: Vocabulary, keyring: Keyring | None) -> Explained:
    returned = read_return(raw)
    if returned.kind in _REPORTS:
        return _of_report(returned)
    heard = read_part(mail, mail.fields.get("return-path", "unknown").strip())
    to = _sent_to(mail)
    leaving = _is_asked_about_leaving(to, keyring)
    if heard.automatic is not None:
        if to.command is Command.LEAVE and to.token and not leaving:
            why = "A program sent it, but to an address whose token lets it unsubscribe."
            return Explained(kind="command", commands=("unsubscribe",), why=why)
        return Explained(kind="auto-reply", why=f"No person wrote it: {heard.automatic}.")
    told = _of_leaving(heard, vocabulary) if leaving else _of_person(heard, to, vocabulary)
    if not told.commands and returned.kind in {ReturnKind.AUTO_REPLY, ReturnKind.RECEIPT}:
        return Explained(kind="auto-reply", why="It reads like a vacation program's answer, or a receipt.")
    if heard.doubtful and told.commands:
        doubt = f" A program may have sent it ({heard.doubtful}): it is obeyed where it came from its author, to us."
        return replace(told, why=told.why + doubt)
    return told


def _of_report(returned: Returned) -> Explained:
    """A bounce, a delay or a complaint."""
    of = returned.recipients or ((returned.unnamed,) if returned.unnamed else ())
    if returned.kind is ReturnKind.COMPLAINT:
        why = f"A report of the type {returned.complaint} came from a mailbox provider."
        return Explained(kind="complaint", recipients=of, complaint_type=returned.complaint or "other", why=why)
    saying = "is late, and still tried" if returned.kind is ReturnKind.DELAY else "was given up"
    why = f"A mail system tells that a letter {saying}{f': {of[0].reason}' if of else ''}."
    return Explained(kind=str(returned.kind), recipients=of, why=why)


def _of_leaving(heard: Heard, vocabulary: Vocabulary) -> Explained:
    told = _of_answer(answer_about_leaving(heard, vocabulary), "unsubscribe")
    # Who does not want to be asked again has not said whether to stay.
    return told if told.commands != ("never",) else _of_answer(Answer.NEITHER, "unsubscribe")


def _of_answer(answer: Answer, asked_to: str) -> Explained:
    """What an answer to a letter that asks does."""
    told = f"It answers a letter that asked whether to {asked_to}, and"
    if answer is Answer.NEITHER:
        why = f"{told} neither agrees nor declines: it changes nothing, and the owner reads it."
        return Explained(kind="answer", commands=("neither",), why=why)
    doing = asked_to if answer is Answer.YES else _ANSWERS[answer]
    return Explained(kind="command", commands=(doing,), why=f"{told} its first words mean {answer}.")


def _of_person(heard: Heard, to: CommandAddress, vocabulary: Vocabulary) -> Explained:
    if to.command is Command.CONFIRM:
        return _of_answer(answer_of(heard, vocabulary), "confirm")
    if (doing := _DOING.get(to.command)) is not None:
        why = f"The address it was sent to asks to {doing}." if doing != "help" else "The address asks for help."
        return Explained(kind="command", commands=(doing,), why=why)
    strict = to.command is not Command.REQUEST
    if told := asked(heard, vocabulary, strict=strict):
        where = (
            "A whole line is nothing but a command." if strict else "The subject or a first line begins with a command."
        )
        return Explained(kind="command", commands=tuple(map(_spelled, told)), why=where)
    if not strict:
        why = "It went to an address for commands but holds none, so help is sent."
        return Explained(kind="command", commands=("help",), why=why)
    if heard.is_reply:
        return Explained(kind="answer", why="A person answers a letter, and no line is a command.")
    return Explained(kind="other", why="A person wrote it; it answers no letter and holds no command.")


def _spelled(one: Asked) -> str:
    return f"{one.command} {one.argument}" if one.command is Wish.LANGUAGE else str(one.command)


def _sent_to(mail: Part) -> CommandAddress:
    """The first address that asks for something, of all that it was sent to."""
    told = " ".join(mail.fields.get(name, "") for name in _SENT_TO)
    addresses = [parse_local_part(local) for local in _LOCAL.findall(told)[:_MOST_ADDRESSES]]
    asking = (address for address in addresses if address.command not in _FOR_PEOPLE)
    return next(asking, CommandAddress(Command.POST, None))
