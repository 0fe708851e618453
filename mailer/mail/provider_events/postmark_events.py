"""Postmark: bounces and complaints in its bounce, spam complaint and subscription change webhooks."""

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
"""By Type; other types are no bounces: delays (Transient), auto-replies (AutoResponder), tests."""
_COMPLAINT_TYPES = {"SpamComplaint": "abuse", "Unsubscribe": OPT_OUT}
_MAX_CHARACTERS = 100_000


def parse_postmark_events(payload: Any, builder: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """The feedback in a call; deliveries, opens, clicks, delays and auto-replies give none."""
    record, kind = get_text(get_path(payload, "RecordType")), get_text(get_path(payload, "Type"))
    if record == "SubscriptionChange":
        return _parse_subscription_change(payload, builder)
    letter = _letter_reference(payload, "Email", "BouncedAt", builder)
    if record in {"Bounce", "SpamComplaint"} and (record in _COMPLAINT_TYPES or kind in _COMPLAINT_TYPES):
        return (builder.build_complaint(letter, _COMPLAINT_TYPES.get(record) or _COMPLAINT_TYPES[kind]),)
    if record == "Bounce" and kind in _BOUNCE_CLASSES:
        details = get_text(get_path(payload, "Details")).removeprefix("smtp;").strip()
        return (builder.build_bounce(letter, details, bounce_class=_BOUNCE_CLASSES[kind]),)
    return ()


def _parse_subscription_change(payload: Any, builder: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """The feedback of a new suppression at Postmark; one that the organisers made by hand gives none."""
    if get_path(payload, "SuppressSending") is not True:
        return ()
    letter = _letter_reference(payload, "Recipient", "ChangedAt", builder)
    suppression_reason, origin = get_text(get_path(payload, "SuppressionReason")), get_text(get_path(payload, "Origin"))
    if suppression_reason == "HardBounce":
        return (builder.build_bounce(letter, bounce_class=_BOUNCE_CLASSES["HardBounce"]),)
    if suppression_reason == "SpamComplaint":
        return (builder.build_complaint(letter),)
    return (builder.build_complaint(letter, OPT_OUT),) if origin == "Recipient" else ()


def _letter_reference(payload: Any, to: str, at: str, builder: EventBuilder) -> LetterReference:
    """The letter of an event. MessageID is Postmark's own; ours is in Content where the bounce is included."""
    own = re.compile(rf"<[0-9a-f]{{32}}@{re.escape(builder.site.domain)}>")
    found = own.search(get_text(get_path(payload, "Content"), _MAX_CHARACTERS))
    when = parse_time(get_path(payload, at), builder.now)
    return LetterReference(recipient=get_text(get_path(payload, to)), message_id=found[0] if found else "", at=when)
