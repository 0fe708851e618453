"""Building feedback from a provider's event: finding the delivery, and classifying the bounce."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from mailer.domain.bounce import BounceReason, DsnAction, FeedbackKind, RecipientBounce, Severity, determine_severity
from mailer.domain.command_address import Command, parse_local_part
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.domain.site import Site
from mailer.domain.token import Purpose, read_token
from mailer.errors import TokenRefused
from mailer.mail.bounces.address_extraction import find_last_address
from mailer.mail.bounces.classify_bounce import classify_bounce

OPT_OUT = "opt-out"
"""The complaint type (RFC 6430) for a person who unsubscribed at the provider."""
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_MAX_MESSAGE_ID_LENGTH = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterReference:
    """The letter that an event is about, as far as the event names it."""

    recipient: str
    senders: tuple[str, ...] = ()
    """Addresses of which one may be its MAIL FROM, with our token."""
    message_id: str = ""
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class BounceClass:
    """What a provider's own bounce class means, beside the reply of the mail system that refused."""

    reason: BounceReason | None = None
    """Decides, whatever the reply is."""
    fallback: BounceReason | None = None
    """Decides where the reply gives no reason."""
    never_hard: bool = False
    """The provider will send to this address again: the bounce is at most soft."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventBuilder:
    """Builds the feedback of one provider's events on our deliveries."""

    provider: str
    site: Site
    now: datetime

    def build_bounce(
        self,
        letter: LetterReference,
        diagnostic: str = "",
        status: str = "",
        *,
        notice: str = "",
        bounce_class: BounceClass | None = None,
    ) -> DeliveryFeedback:
        """The feedback of a bounce: `diagnostic` is the refusing system's reply, `notice` the provider's own text."""
        address, bounce_class = find_last_address(letter.recipient), bounce_class or BounceClass()
        code = status if _STATUS.fullmatch(status) else None
        bounce = classify_bounce(
            address=address or "", action=DsnAction.FAILED, status=code, diagnostic=diagnostic, notice=notice
        )
        return self._build_feedback(letter, FeedbackKind.BOUNCE, bounce=_apply_bounce_class(bounce, bounce_class))

    def build_complaint(self, letter: LetterReference, kind: str = "abuse") -> DeliveryFeedback:
        """The feedback of a complaint, or of an unsubscription at the provider (`OPT_OUT`)."""
        return self._build_feedback(letter, FeedbackKind.COMPLAINT, complaint=kind.lower()[:40] or "abuse")

    def _build_feedback(
        self,
        letter: LetterReference,
        kind: FeedbackKind,
        bounce: RecipientBounce | None = None,
        complaint: str | None = None,
    ) -> DeliveryFeedback:
        return DeliveryFeedback(
            delivery_id=_find_delivery_id(self.site, letter.senders),
            address=find_last_address(letter.recipient),
            kind=kind,
            bounce=bounce,
            complaint=complaint,
            channel=self.provider,
            message_id=letter.message_id[:_MAX_MESSAGE_ID_LENGTH] or None,
            at=letter.at,
        )


def _apply_bounce_class(bounce: RecipientBounce, bounce_class: BounceClass) -> RecipientBounce:
    reason = bounce_class.reason or (bounce.reason is BounceReason.UNCLEAR and bounce_class.fallback) or bounce.reason
    severity = bounce.severity
    if reason is not bounce.reason:
        severity = determine_severity(reason, bounce.action, temporary=False, after_data=False)
    if bounce_class.never_hard and severity is Severity.HARD:
        severity = Severity.SOFT
    return replace(bounce, reason=reason, severity=severity)


def _find_delivery_id(site: Site, senders: Iterable[str]) -> int | None:
    """The delivery that one of our return paths with a valid token names, or None."""
    for sender in senders:
        local, _, domain = (find_last_address(sender) or "").rpartition("@")
        named = parse_local_part(local)
        if domain.lower() != site.domain or named.command is not Command.RETURN_PATH or not named.token:
            continue
        try:
            return read_token(site.keyring, Purpose.RETURN_PATH, named.token)
        except TokenRefused:
            continue
    return None
