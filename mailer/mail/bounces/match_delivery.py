"""What a mail says came back, and of which letter of ours, as far as something in it that we signed proves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mailer.domain.bounce import DsnAction, FeedbackKind, ParsedBounce, RecipientBounce, Severity
from mailer.domain.command_address import Command, CommandAddress
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.domain.keyring import Keyring
from mailer.domain.site import Site
from mailer.domain.token import TOKEN_CHARACTERS, Purpose, read_any_token, read_token
from mailer.errors import TokenRefused
from mailer.mail.bounces.parse_bounce import parse_bounce
from mailer.mail.bounces.report_parts import ReportParts, parse_report_parts

FEEDBACK_COMMANDS = frozenset({Command.RETURN_PATH, Command.COMPLAINT, Command.ROLE})
"""What addresses are for to which bounces and complaints come."""
COMPLAINT_PURPOSES = (Purpose.COMPLAINT, Purpose.RETURN_PATH)
"""What a complaint may name our letter by. Up to 0.3.0 a CFBL-Feedback-ID was the return path's token."""
_TOKEN = re.compile(rf"(?<![a-z0-9])[a-z2-7]{{{TOKEN_CHARACTERS}}}(?![a-z0-9])", re.IGNORECASE)
_MAX_TOKENS = 64
"""Of a mail somebody made to keep us busy no more are tried."""
_MESSAGE_ID = re.compile(r"<([0-9a-f]{32}@[a-z0-9.-]{1,253})>", re.IGNORECASE)
_SEVERITIES = (Severity.IGNORE, Severity.SENDER_SIDE, Severity.SOFT, Severity.HARD)


@dataclass(frozen=True, slots=True)
class FeedbackMatch:
    """What sort of thing a mail tells of, and the same to be acted on; None where nothing is, or of no letter."""

    kind: FeedbackKind
    feedback: DeliveryFeedback | None = None
    needs_human: bool = False
    """It may well be of a letter of ours, but nothing we signed says so: somebody should read it."""


def match_feedback(raw: bytes, house: Site, to: CommandAddress, at: datetime) -> FeedbackMatch | None:
    """What a mail to one of our addresses says came back; None for addresses to which nothing does.

    A token that the door believed and that is none (a key was removed since) tells nothing.
    """
    if to.command not in FEEDBACK_COMMANDS:
        return None
    try:
        if to.command is Command.RETURN_PATH:
            return match_return_path(raw, house, to.token or "", at)
        return match_complaint(raw, house, to.token, at)
    except TokenRefused:
        return FeedbackMatch(FeedbackKind.NONE)


def match_return_path(raw: bytes, house: Site, token: str, at: datetime) -> FeedbackMatch:
    """What a mail to a return path says, whose token names the letter; TokenRefused.

    Its reader is the one that our letter went to, whoever else is named. Vacations and receipts are not acted on.
    """
    delivery_id = read_token(house.keyring, Purpose.RETURN_PATH, token)
    bounce = parse_bounce(raw, (house.domain,))
    if bounce.kind not in {FeedbackKind.BOUNCE, FeedbackKind.DELAY, FeedbackKind.COMPLAINT}:
        return FeedbackMatch(bounce.kind)
    return FeedbackMatch(bounce.kind, _build_feedback(bounce, delivery_id=delivery_id, at=at))


def match_complaint(raw: bytes, house: Site, token: str | None, at: datetime) -> FeedbackMatch:
    """What a mail to a role address, or to where providers report, complains of; all else is of kind NONE.

    The letter is told by a token of ours: that of the address it came to, or one that stands in the report (the
    return path, CFBL-Feedback-ID of RFC 9477). Its Message-ID tells nothing: an answer has it, too.
    """
    bounce = parse_bounce(raw, (house.domain,))
    if bounce.kind is not FeedbackKind.COMPLAINT:
        return FeedbackMatch(FeedbackKind.NONE)
    mail = parse_report_parts(raw)
    delivery_id = next(_find_delivery_ids(house.keyring, [*([token] if token else ()), *_token_places(mail)]), None)
    if delivery_id is not None:
        return FeedbackMatch(bounce.kind, _build_feedback(bounce, delivery_id=delivery_id, at=at))
    return FeedbackMatch(bounce.kind, needs_human=_has_own_message_id(house.domain, mail))


def _build_feedback(bounce: ParsedBounce, *, delivery_id: int, at: datetime) -> DeliveryFeedback:
    return DeliveryFeedback(
        delivery_id=delivery_id,
        address=None,
        kind=bounce.kind,
        bounce=_most_severe(bounce),
        complaint=bounce.complaint,
        channel="mail",
        message_id=None,
        at=at,
    )


def _most_severe(bounce: ParsedBounce) -> RecipientBounce | None:
    """What is said of the reader: where several are named (an address that stands for many), the heaviest failure."""
    failed = [one for one in bounce.recipients if one.action is DsnAction.FAILED] or list(bounce.recipients)
    return max(failed, key=lambda one: _SEVERITIES.index(one.severity), default=bounce.unnamed)


def _token_places(mail: ReportParts) -> Iterator[str]:
    """Where a report may name our letter."""
    yield mail.report("feedback")
    for original in mail.originals:
        yield from original.fields.values()
    yield from mail.texts


def _find_delivery_ids(keyring: Keyring, places: list[str]) -> Iterator[int]:
    candidates = (candidate[0] for place in places for candidate in _TOKEN.finditer(place))
    for _, candidate in zip(range(_MAX_TOKENS), dict.fromkeys(candidates), strict=False):
        try:
            yield read_any_token(keyring, COMPLAINT_PURPOSES, candidate)[1]
        except TokenRefused:
            continue


def _has_own_message_id(domain: str, mail: ReportParts) -> bool:
    """Whether the letter that is returned has a Message-ID as ours have."""
    places = (*(original.fields.get("message-id", "") for original in mail.originals), mail.report("feedback"))
    return any(found[1].lower().endswith(f"@{domain}") for place in places for found in _MESSAGE_ID.finditer(place))
