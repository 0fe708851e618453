"""Brevo: bounces and complaints in its transactional webhook events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mailer.domain.bounce import BounceReason
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.mail.provider_events.event_builder import OPT_OUT, BounceClass, EventBuilder, LetterReference
from mailer.mail.provider_events.json_access import get_text, iterate_objects, parse_time

_BOUNCE_CLASSES = {
    "hard_bounce": BounceClass(fallback=BounceReason.UNKNOWN_USER),
    "soft_bounce": BounceClass(never_hard=True),
    "invalid_email": BounceClass(reason=BounceReason.UNKNOWN_USER),
    "invalid": BounceClass(reason=BounceReason.UNKNOWN_USER),
    # The address is on Brevo's block list: it does not try to send.
    "blocked": BounceClass(fallback=BounceReason.DISABLED),
    "error": BounceClass(fallback=BounceReason.SYSTEM_TROUBLE, never_hard=True),
}
"""By event."""
_BREVO_MESSAGE_ID = re.compile(r"@[\w.-]{0,100}\b(?:mailin\.fr|sendinblue\.com|brevo\.com)>?")
"""A Message-ID that Brevo put in the place of ours; any other foreign one is another sender's letter."""
_COMPLAINT_TYPES = {"spam": "abuse", "complaint": "abuse", "unsubscribed": OPT_OUT, "unsubscribe": OPT_OUT}


def parse_brevo_events(payload: Any, builder: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """The feedback in one event or a batch; events of other kinds (sent, delivered, opened ...) give none."""
    return tuple(found for event in iterate_objects(payload) for found in _parse_event(event, builder))


def _parse_event(event: dict[str, Any], builder: EventBuilder) -> Iterator[DeliveryFeedback]:
    kind = get_text(event.get("event"))
    message_id = get_text(event.get("message-id"))
    if _BREVO_MESSAGE_ID.search(message_id):
        message_id = ""
    letter = LetterReference(
        recipient=get_text(event.get("email")), message_id=message_id, at=_event_time(event, builder)
    )
    if kind in _COMPLAINT_TYPES:
        yield builder.build_complaint(letter, _COMPLAINT_TYPES[kind])
    elif kind in _BOUNCE_CLASSES:
        yield builder.build_bounce(letter, get_text(event.get("reason")), bounce_class=_BOUNCE_CLASSES[kind])


def _event_time(event: dict[str, Any], builder: EventBuilder) -> Any:
    """The event's time; its field `date` is not used, as it is in the account's time zone."""
    if "ts_event" in event:
        return parse_time(event["ts_event"], builder.now)
    return parse_time(event.get("ts_epoch"), builder.now, milliseconds=True)
