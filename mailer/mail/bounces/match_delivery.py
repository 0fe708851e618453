"""Matching a bounce or complaint that came by mail to one of our deliveries, by a token that we signed."""

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
from mailer.mail.bounces.parse_bounce import parse_bounce, parse_bounce_parts
from mailer.mail.bounces.report_parts import ReportParts, parse_report_parts

FEEDBACK_COMMANDS = frozenset({Command.RETURN_PATH, Command.COMPLAINT, Command.ROLE})
"""The purposes of addresses that receive bounces and complaints."""
COMPLAINT_PURPOSES = (Purpose.COMPLAINT, Purpose.RETURN_PATH)
"""The tokens by which a complaint may name a delivery. Up to 0.3.0 a CFBL-Feedback-ID was the return path's token."""
_TOKEN = re.compile(rf"(?<![a-z0-9])[a-z2-7]{{{TOKEN_CHARACTERS}}}(?![a-z0-9])", re.IGNORECASE)
_MAX_TOKENS = 64
"""No more candidates of one mail are tried, so that a forged mail costs little time."""
_MESSAGE_ID = re.compile(r"<([0-9a-f]{32}@[a-z0-9.-]{1,253})>", re.IGNORECASE)
_SEVERITIES = (Severity.IGNORE, Severity.SENDER_SIDE, Severity.SOFT, Severity.HARD)


@dataclass(frozen=True, slots=True)
class FeedbackMatch:
    """The kind of a mail to a feedback address, and the feedback to record; None where there is none to record."""

    kind: FeedbackKind
    feedback: DeliveryFeedback | None = None
    needs_human: bool = False
    """It may be about a letter of ours but carries no token: a person should read it."""


def match_feedback(raw: bytes, site: Site, to: CommandAddress, at: datetime) -> FeedbackMatch | None:
    """The feedback in a mail to one of our addresses; None where the address `to` receives no feedback.

    A token that no key verifies any more (its key was removed after the mail came in) gives FeedbackKind.NONE.
    """
    if to.command not in FEEDBACK_COMMANDS:
        return None
    try:
        if to.command is Command.RETURN_PATH:
            return match_return_path(raw, site, to.token or "", at)
        return match_complaint(raw, site, to.token, at)
    except TokenRefused:
        return FeedbackMatch(FeedbackKind.NONE)


def match_return_path(raw: bytes, site: Site, token: str, at: datetime) -> FeedbackMatch:
    """The feedback in a mail to a return path, whose `token` names the delivery.

    The feedback is about the delivery's subscriber, whichever address the bounce names. Auto-replies and receipts have
    no feedback to record. Raises TokenRefused.
    """
    delivery_id = read_token(site.keyring, Purpose.RETURN_PATH, token)
    bounce = parse_bounce(raw, (site.domain,))
    if bounce.kind not in {FeedbackKind.BOUNCE, FeedbackKind.DELAY, FeedbackKind.COMPLAINT}:
        return FeedbackMatch(bounce.kind)
    return FeedbackMatch(bounce.kind, _build_feedback(bounce, delivery_id=delivery_id, at=at))


def match_complaint(raw: bytes, site: Site, token: str | None, at: datetime) -> FeedbackMatch:
    """The complaint in a mail to a role address or to the complaint address; any other mail is of kind NONE.

    The delivery is named by a token: that of the address the mail came to, or one in the report (the return path, or
    the CFBL-Feedback-ID of RFC 9477). A Message-ID is not enough, since a reply has it, too.
    """
    mail = parse_report_parts(raw)
    bounce = parse_bounce_parts(mail, (site.domain,))
    if bounce.kind is not FeedbackKind.COMPLAINT:
        return FeedbackMatch(FeedbackKind.NONE)
    delivery_id = next(_find_delivery_ids(site.keyring, [*([token] if token else ()), *_token_places(mail)]), None)
    if delivery_id is not None:
        return FeedbackMatch(bounce.kind, _build_feedback(bounce, delivery_id=delivery_id, at=at))
    return FeedbackMatch(bounce.kind, needs_human=_has_own_message_id(site.domain, mail))


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
    """The most severe failure among the recipients: an alias may have expanded to several."""
    failed = [one for one in bounce.recipients if one.action is DsnAction.FAILED] or list(bounce.recipients)
    return max(failed, key=lambda one: _SEVERITIES.index(one.severity), default=bounce.unnamed)


def _token_places(mail: ReportParts) -> Iterator[str]:
    """The texts of a report in which a token may stand."""
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
    """Whether the returned letter or the report has a Message-ID of our form and domain."""
    places = (*(original.fields.get("message-id", "") for original in mail.originals), mail.report("feedback"))
    return any(found[1].lower().endswith(f"@{domain}") for place in places for found in _MESSAGE_ID.finditer(place))
