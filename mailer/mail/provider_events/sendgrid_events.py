"""SendGrid: what its event webhook says, many events in one call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailer.domain.bounce import BounceReason
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.mail.provider_events.event_builder import OPT_OUT, BounceClass, EventBuilder, LetterReference
from mailer.mail.provider_events.json_access import get_text, iterate_objects, parse_time

_REASON_BY_CLASSIFICATION = {
    "invalid address": BounceReason.UNKNOWN_USER,
    "mailbox unavailable": BounceReason.SUSPENDED,
    "content": BounceReason.CONTENT,
    "reputation": BounceReason.BLOCKED,
    "frequency or volume too high": BounceReason.RATE,
    "technical failure": BounceReason.SYSTEM_TROUBLE,
}
"""By bounce_classification, where the words tell nothing."""
_DROP_CLASSES = {
    "bounced address": BounceClass(reason=BounceReason.DISABLED),
    "invalid smtpapi header": BounceClass(reason=BounceReason.POLICY),
    "invalid": BounceClass(reason=BounceReason.UNKNOWN_USER),
    "spam content": BounceClass(reason=BounceReason.CONTENT),
    "recipient list over package quota": BounceClass(reason=BounceReason.RATE),
}
"""By how the reason begins: what SendGrid does not even try to send."""
_DROP_COMPLAINT_TYPES = {"spam reporting address": "abuse", "unsubscribed address": OPT_OUT}
_COMPLAINT_TYPES = {"spamreport": "abuse", "unsubscribe": OPT_OUT, "group_unsubscribe": OPT_OUT}


def parse_sendgrid_events(said: Any, telling: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """What came back; nothing for letters processed, delivered, deferred, opened or clicked."""
    return tuple(found for event in iterate_objects(said) for found in _parse_event(event, telling))


def _parse_event(event: dict[str, Any], telling: EventBuilder) -> Iterator[DeliveryFeedback]:
    kind, reason = get_text(event.get("event")), get_text(event.get("reason"))
    letter = LetterReference(
        recipient=get_text(event.get("email")),
        message_id=get_text(event.get("smtp-id")),
        at=parse_time(event.get("timestamp"), telling.now),
    )
    if kind in _COMPLAINT_TYPES:
        yield telling.build_complaint(letter, _COMPLAINT_TYPES[kind])
    elif kind == "bounce":
        otherwise = _REASON_BY_CLASSIFICATION.get(get_text(event.get("bounce_classification")).lower())
        by = BounceClass(fallback=otherwise, never_hard=event.get("type") == "blocked")
        yield telling.build_bounce(letter, reason, get_text(event.get("status")), bounce_class=by)
    elif kind == "dropped":
        yield _parse_drop(letter, reason, telling)


def _parse_drop(letter: LetterReference, reason: str, telling: EventBuilder) -> DeliveryFeedback:
    lowered = reason.lower()
    for opening, kind in _DROP_COMPLAINT_TYPES.items():
        if lowered.startswith(opening):
            return telling.build_complaint(letter, kind)
    by = next(
        (found for opening, found in _DROP_CLASSES.items() if lowered.startswith(opening)), BounceClass(never_hard=True)
    )
    return telling.build_bounce(letter, notice=reason, bounce_class=by)
