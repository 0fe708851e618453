"""What a provider tells of one letter, as what came back: whose letter it is, and what that counts for."""

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
"""Who unsubscribes at the provider wants no more letters: it counts as a complaint of this type (RFC 6430)."""
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_MAX_MESSAGE_ID_LENGTH = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterReference:
    """Of which letter a provider speaks, as far as it says."""

    recipient: str
    senders: tuple[str, ...] = ()
    """What may be its MAIL FROM, ours if it is."""
    message_id: str = ""
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class BounceClass:
    """What a provider's own classes say, beside the words of the mail system that refused."""

    reason: BounceReason | None = None
    """Whatever the words are."""
    fallback: BounceReason | None = None
    """Where the words tell nothing."""
    never_hard: bool = False
    """The provider will try this address again: it is not held to be gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventBuilder:
    """Who tells, and whose letters they are about."""

    provider: str
    house: Site
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
        """A letter that was given up: `said` by the mail system that refused it, `notice` by the provider."""
        address, bounce_class = find_last_address(letter.recipient), bounce_class or BounceClass()
        code = status if _STATUS.fullmatch(status) else None
        told = classify_bounce(
            address=address or "", action=DsnAction.FAILED, status=code, diagnostic=diagnostic, notice=notice
        )
        return self._build_feedback(letter, FeedbackKind.BOUNCE, of=_apply_bounce_class(told, bounce_class))

    def build_complaint(self, letter: LetterReference, kind: str = "abuse") -> DeliveryFeedback:
        """A person complains, or has unsubscribed (`OPT_OUT`)."""
        return self._build_feedback(letter, FeedbackKind.COMPLAINT, complaint=kind.lower()[:40] or "abuse")

    def _build_feedback(
        self,
        letter: LetterReference,
        kind: FeedbackKind,
        of: RecipientBounce | None = None,
        complaint: str | None = None,
    ) -> DeliveryFeedback:
        return DeliveryFeedback(
            delivery_id=_find_delivery_id(self.house, letter.senders),
            address=find_last_address(letter.recipient),
            kind=kind,
            bounce=of,
            complaint=complaint,
            channel=self.provider,
            message_id=letter.message_id[:_MAX_MESSAGE_ID_LENGTH] or None,
            at=letter.at,
        )


def _apply_bounce_class(bounce: RecipientBounce, bounce_class: BounceClass) -> RecipientBounce:
    reason = bounce_class.reason or (bounce.reason is BounceReason.UNCLEAR and bounce_class.fallback) or bounce.reason
    weight = bounce.severity
    if reason is not bounce.reason:
        weight = determine_severity(reason, bounce.action, temporary=False, after_data=False)
    if bounce_class.never_hard and weight is Severity.HARD:
        weight = Severity.SOFT
    return replace(bounce, reason=reason, severity=weight)


def _find_delivery_id(house: Site, senders: Iterable[str]) -> int | None:
    """The delivery that a genuine return path of ours names."""
    for sender in senders:
        local, _, domain = (find_last_address(sender) or "").rpartition("@")
        named = parse_local_part(local)
        if domain.lower() != house.domain or named.command is not Command.RETURN_PATH or not named.token:
            continue
        try:
            return read_token(house.keyring, Purpose.RETURN_PATH, named.token)
        except TokenRefused:
            continue
    return None
