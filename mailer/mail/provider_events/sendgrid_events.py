"""SendGrid: bounces and complaints in its event webhook, which has many events in one call."""

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
"""By bounce_classification, where the reply gives no reason."""
_DROP_CLASSES = {
    "bounced address": BounceClass(reason=BounceReason.DISABLED),
    "invalid smtpapi header": BounceClass(reason=BounceReason.POLICY),
    "invalid": BounceClass(reason=BounceReason.UNKNOWN_USER),
    "spam content": BounceClass(reason=BounceReason.CONTENT),
    "recipient list over package quota": BounceClass(reason=BounceReason.RATE),
}
"""By the beginning of the reason: SendGrid does not try to send these."""
_DROP_COMPLAINT_TYPES = {"spam reporting address": "abuse", "unsubscribed address": OPT_OUT}
_COMPLAINT_TYPES = {"spamreport": "abuse", "unsubscribe": OPT_OUT, "group_unsubscribe": OPT_OUT}


def parse_sendgrid_events(payload: Any, builder: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """The feedback in the events; events of other kinds (processed, delivered, deferred, opened ...) give none."""
    return tuple(found for event in iterate_objects(payload) for found in _parse_event(event, builder))


def _parse_event(event: dict[str, Any], builder: EventBuilder) -> Iterator[DeliveryFeedback]:
    kind, reason = get_text(event.get("event")), get_text(event.get("reason"))
    letter = LetterReference(
        recipient=get_text(event.get("email")),
        message_id=get_text(event.get("smtp-id")),
        at=parse_time(event.get("timestamp"), builder.now),
    )
    if kind in _COMPLAINT_TYPES:
        yield builder.build_complaint(letter, _COMPLAINT_TYPES[kind])
    elif kind == "bounce":
        fallback = _REASON_BY_CLASSIFICATION.get(get_text(event.get("bounce_classification")).lower())
        bounce_class = BounceClass(fallback=fallback, never_hard=event.get("type") == "blocked")
        yield builder.build_bounce(letter, reason, get_text(event.get("status")), bounce_class=bounce_class)
    elif kind == "dropped":
        yield _parse_drop(letter, reason, builder)


def _parse_drop(letter: LetterReference, reason: str, builder: EventBuilder) -> DeliveryFeedback:
    lowered = reason.lower()
    for opening, kind in _DROP_COMPLAINT_TYPES.items():
        if lowered.startswith(opening):
            return builder.build_complaint(letter, kind)
    bounce_class = next(
        (found for opening, found in _DROP_CLASSES.items() if lowered.startswith(opening)), BounceClass(never_hard=True)
    )
    return builder.build_bounce(letter, notice=reason, bounce_class=bounce_class)
