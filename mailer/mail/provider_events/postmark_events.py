"""Postmark: what its bounce, spam complaint and subscription change webhooks say."""

from __future__ import annotations

import re
from typing import Any

from mailer.domain.bounce import BounceReason
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.mail.provider_events.event_builder import OPT_OUT, BounceClass, EventBuilder, LetterReference
from mailer.mail.provider_events.json_access import get_path, get_text, parse_time

_BOUNCE_CLASSES = {
    "HardBounce": BounceClass(fallback=BounceReason.UNKNOWN_USER),
    "SoftBounce": BounceClass(never_hard=True),
    "Unknown": BounceClass(never_hard=True),
    "AddressChange": BounceClass(never_hard=True),
    "DnsError": BounceClass(reason=BounceReason.UNREACHABLE),
    "SpamNotification": BounceClass(reason=BounceReason.CONTENT),
    "VirusNotification": BounceClass(reason=BounceReason.CONTENT),
    "ChallengeVerification": BounceClass(reason=BounceReason.RESTRICTED),
    "BadEmailAddress": BounceClass(reason=BounceReason.UNKNOWN_USER),
    "ManuallyDeactivated": BounceClass(reason=BounceReason.DISABLED),
    "Blocked": BounceClass(fallback=BounceReason.BLOCKED, never_hard=True),
    "SMTPApiError": BounceClass(fallback=BounceReason.POLICY, never_hard=True),
    "DMARCPolicy": BounceClass(reason=BounceReason.AUTHENTICATION),
}
"""By Type; others are no bounces: delays (Transient), vacations (AutoResponder), tests."""
_COMPLAINT_TYPES = {"SpamComplaint": "abuse", "Unsubscribe": OPT_OUT}
_MAX_CHARACTERS = 100_000


def parse_postmark_events(said: Any, telling: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """What came back; nothing for deliveries, opens, clicks, delays and vacations."""
    record, kind = get_text(get_path(said, "RecordType")), get_text(get_path(said, "Type"))
    if record == "SubscriptionChange":
        return _parse_subscription_change(said, telling)
    letter = _letter_reference(said, "Email", "BouncedAt", telling)
    if record in {"Bounce", "SpamComplaint"} and (record in _COMPLAINT_TYPES or kind in _COMPLAINT_TYPES):
        return (telling.build_complaint(letter, _COMPLAINT_TYPES.get(record) or _COMPLAINT_TYPES[kind]),)
    if record == "Bounce" and kind in _BOUNCE_CLASSES:
        details = get_text(get_path(said, "Details")).removeprefix("smtp;").strip()
        return (telling.build_bounce(letter, details, bounce_class=_BOUNCE_CLASSES[kind]),)
    return ()


def _parse_subscription_change(said: Any, telling: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """Somebody came onto the list of those Postmark does not send to; whom the organisers put there, they know."""
    if get_path(said, "SuppressSending") is not True:
        return ()
    letter = _letter_reference(said, "Recipient", "ChangedAt", telling)
    suppression_reason, origin = get_text(get_path(said, "SuppressionReason")), get_text(get_path(said, "Origin"))
    if suppression_reason == "HardBounce":
        return (telling.build_bounce(letter, bounce_class=_BOUNCE_CLASSES["HardBounce"]),)
    if suppression_reason == "SpamComplaint":
        return (telling.build_complaint(letter),)
    return (telling.build_complaint(letter, OPT_OUT),) if origin == "Recipient" else ()


def _letter_reference(said: Any, to: str, at: str, telling: EventBuilder) -> LetterReference:
    """Postmark's MessageID is its own; ours stands in the bounce, where its text is sent along."""
    own = re.compile(rf"<[0-9a-f]{{32}}@{re.escape(telling.house.domain)}>")
    found = own.search(get_text(get_path(said, "Content"), _MAX_CHARACTERS))
    when = parse_time(get_path(said, at), telling.now)
    return LetterReference(recipient=get_text(get_path(said, to)), message_id=found[0] if found else "", at=when)
