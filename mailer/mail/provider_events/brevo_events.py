"""Brevo: what its transactional webhooks say."""

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
    # Brevo does not even try: it is on its block list.
    "blocked": BounceClass(fallback=BounceReason.DISABLED),
    "error": BounceClass(fallback=BounceReason.SYSTEM_TROUBLE, never_hard=True),
}
"""By event."""
_BREVO_MESSAGE_ID = re.compile(r"@[\w.-]{0,100}\b(?:mailin\.fr|sendinblue\.com|brevo\.com)>?")
"""A Message-ID that Brevo made in place of ours tells nothing; any other that is not ours is of another's letter."""
_COMPLAINT_TYPES = {"spam": "abuse", "complaint": "abuse", "unsubscribed": OPT_OUT, "unsubscribe": OPT_OUT}


def parse_brevo_events(said: Any, telling: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """What came back, one event or a batch; nothing for letters sent, delivered, deferred, opened or clicked."""
    return tuple(found for event in iterate_objects(said) for found in _parse_event(event, telling))


def _parse_event(event: dict[str, Any], telling: EventBuilder) -> Iterator[DeliveryFeedback]:
    kind = get_text(event.get("event"))
    message_id = get_text(event.get("message-id"))
    if _BREVO_MESSAGE_ID.search(message_id):
        message_id = ""
    letter = LetterReference(
        recipient=get_text(event.get("email")), message_id=message_id, at=_event_time(event, telling)
    )
    if kind in _COMPLAINT_TYPES:
        yield telling.build_complaint(letter, _COMPLAINT_TYPES[kind])
    elif kind in _BOUNCE_CLASSES:
        yield telling.build_bounce(letter, get_text(event.get("reason")), bounce_class=_BOUNCE_CLASSES[kind])


def _event_time(event: dict[str, Any], telling: EventBuilder) -> Any:
    """Of the times that stand there `date` is in the zone of the account."""
    if "ts_event" in event:
        return parse_time(event["ts_event"], telling.now)
    return parse_time(event.get("ts_epoch"), telling.now, milliseconds=True)
