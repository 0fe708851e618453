"""What a mail says came back, and of which letter of ours, as far as something in it that we signed proves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mailer.domain.bounce import Action, Returned, ReturnedFor, ReturnKind, Weight
from mailer.domain.command_address import Command, CommandAddress
from mailer.domain.delivery_feedback import CameBack
from mailer.domain.keyring import Keyring
from mailer.domain.site import House
from mailer.domain.token import TOKEN_CHARACTERS, Purpose, read_one_of, read_token
from mailer.errors import TokenRefused
from mailer.mail.bounces.parse_bounce import read_return
from mailer.mail.bounces.report_parts import SortedParts, sort_parts

COMES_BACK = frozenset({Command.RETURN_PATH, Command.COMPLAINT, Command.ROLE})
"""What addresses are for to which bounces and complaints come."""
OF_COMPLAINTS = (Purpose.COMPLAINT, Purpose.RETURN_PATH)
"""What a complaint may name our letter by. Up to 0.3.0 a CFBL-Feedback-ID was the return path's token."""
_WORD = re.compile(rf"(?<![a-z0-9])[a-z2-7]{{{TOKEN_CHARACTERS}}}(?![a-z0-9])", re.IGNORECASE)
_MOST_WORDS = 64
"""Of a mail somebody made to keep us busy no more are tried."""
_MESSAGE_ID = re.compile(r"<([0-9a-f]{32}@[a-z0-9.-]{1,253})>", re.IGNORECASE)
_WEIGHTS = (Weight.IGNORE, Weight.SENDER_SIDE, Weight.SOFT, Weight.HARD)


@dataclass(frozen=True, slots=True)
class Told:
    """What sort of thing a mail tells of, and the same to be acted on; None where nothing is, or of no letter."""

    kind: ReturnKind
    came_back: CameBack | None = None
    for_people: bool = False
    """It may well be of a letter of ours, but nothing we signed says so: somebody should read it."""


def told_in(raw: bytes, house: House, to: CommandAddress, at: datetime) -> Told | None:
    """What a mail to one of our addresses says came back; None for addresses to which nothing does.

    A token that the door believed and that is none (a key was removed since) tells nothing.
    """
    if to.command not in COMES_BACK:
        return None
    try:
        if to.command is Command.RETURN_PATH:
            return returned_to(raw, house, to.token or "", at)
        return complained_to(raw, house, to.token, at)
    except TokenRefused:
        return Told(ReturnKind.NONE)


def returned_to(raw: bytes, house: House, token: str, at: datetime) -> Told:
    """What a mail to a return path says, whose token names the letter; TokenRefused.

    Its reader is the one that our letter went to, whoever else is named. Vacations and receipts are not acted on.
    """
    delivery_id = read_token(house.keyring, Purpose.RETURN_PATH, token)
    found = read_return(raw, (house.domain,))
    if found.kind not in {ReturnKind.BOUNCE, ReturnKind.DELAY, ReturnKind.COMPLAINT}:
        return Told(found.kind)
    return Told(found.kind, _came_back(found, delivery_id=delivery_id, at=at))


def complained_to(raw: bytes, house: House, token: str | None, at: datetime) -> Told:
    """What a mail to a role address, or to where providers report, complains of; all else is of kind NONE.

    The letter is told by a token of ours: that of the address it came to, or one that stands in the report (the
    return path, CFBL-Feedback-ID of RFC 9477). Its Message-ID tells nothing: an answer has it, too.
    """
    found = read_return(raw, (house.domain,))
    if found.kind is not ReturnKind.COMPLAINT:
        return Told(ReturnKind.NONE)
    mail = sort_parts(raw)
    delivery_id = next(_letters(house.keyring, [*([token] if token else ()), *_places(mail)]), None)
    if delivery_id is not None:
        return Told(found.kind, _came_back(found, delivery_id=delivery_id, at=at))
    return Told(found.kind, for_people=_names_message_of(house.domain, mail))


def _came_back(found: Returned, *, delivery_id: int, at: datetime) -> CameBack:
    return CameBack(
        delivery_id=delivery_id,
        address=None,
        kind=found.kind,
        of=_of(found),
        complaint=found.complaint,
        way="mail",
        message_id=None,
        at=at,
    )


def _of(found: Returned) -> ReturnedFor | None:
    """What is said of the reader: where several are named (an address that stands for many), the heaviest failure."""
    failed = [one for one in found.recipients if one.action is Action.FAILED] or list(found.recipients)
    return max(failed, key=lambda one: _WEIGHTS.index(one.weight), default=found.unnamed)


def _places(mail: SortedParts) -> Iterator[str]:
    """Where a report may name our letter."""
    yield mail.report("feedback")
    for original in mail.originals:
        yield from original.fields.values()
    yield from mail.texts


def _letters(keyring: Keyring, places: list[str]) -> Iterator[int]:
    words = (word[0] for place in places for word in _WORD.finditer(place))
    for _, word in zip(range(_MOST_WORDS), dict.fromkeys(words), strict=False):
        try:
            yield read_one_of(keyring, OF_COMPLAINTS, word)[1]
        except TokenRefused:
            continue


def _names_message_of(domain: str, mail: SortedParts) -> bool:
    """Whether the letter that is returned has a Message-ID as ours have."""
    places = (*(original.fields.get("message-id", "") for original in mail.originals), mail.report("feedback"))
    return any(found[1].lower().endswith(f"@{domain}") for place in places for found in _MESSAGE_ID.finditer(place))
