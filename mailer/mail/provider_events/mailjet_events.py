"""Mailjet: bounces and complaints in its event callbacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailer.domain.bounce import BounceReason
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.mail.provider_events.event_builder import OPT_OUT, BounceClass, EventBuilder, LetterReference
from mailer.mail.provider_events.json_access import get_text, iterate_objects, parse_time

_REASON_BY_ERROR = {
    "user unknown": BounceReason.UNKNOWN_USER,
    "mailbox inactive": BounceReason.DISABLED,
    "quota exceeded": BounceReason.FULL,
    "blacklisted": BounceReason.DISABLED,
    "preblocked": BounceReason.SUSPENDED,
    "invalid domain": BounceReason.UNKNOWN_HOST,
    "no mail host": BounceReason.UNKNOWN_HOST,
    "relay/access denied": BounceReason.RELAY_DENIED,
    "greylisted": BounceReason.SYSTEM_TROUBLE,
    "sender blocked": BounceReason.BLOCKED,
    "content blocked": BounceReason.CONTENT,
    "policy issue": BounceReason.POLICY,
    "system issue": BounceReason.SYSTEM_TROUBLE,
    "protocol issue": BounceReason.SYSTEM_TROUBLE,
    "connection issue": BounceReason.UNREACHABLE,
    "bad or empty template": BounceReason.CONTENT,
    "error in template language": BounceReason.CONTENT,
}
"""By error, where the comment gives no reason. blacklisted and preblocked: a letter, perhaps another account's, bounced
before, so that Mailjet does not try to send."""
_COMPLAINT_TYPES = {"spam": "abuse", "unsub": OPT_OUT}
_DUPLICATE_ERROR, _COMPLAINT_ERROR = "duplicate in campaign", "spam reporter"


def parse_mailjet_events(payload: Any, builder: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """The feedback in one event or a group; events of other kinds (sent, opened, clicked) give none."""
    return tuple(found for event in iterate_objects(payload) for found in _parse_event(event, builder))


def _parse_event(event: dict[str, Any], builder: EventBuilder) -> Iterator[DeliveryFeedback]:
    """The feedback of one event. Its MessageID is Mailjet's own, so that only the address names the delivery."""
    kind, error = get_text(event.get("event")), get_text(event.get("error")).lower()
    letter = LetterReference(recipient=get_text(event.get("email")), at=parse_time(event.get("time"), builder.now))
    if kind in _COMPLAINT_TYPES:
        yield builder.build_complaint(letter, _COMPLAINT_TYPES[kind])
    elif kind in {"bounce", "blocked"} and error == _COMPLAINT_ERROR:
        yield builder.build_complaint(letter)
    elif kind in {"bounce", "blocked"} and error != _DUPLICATE_ERROR:
        # A bounce has a field that says whether it is permanent; a blocked letter has only its error.
        bounce_class = BounceClass(
            fallback=_REASON_BY_ERROR.get(error), never_hard=kind == "bounce" and event.get("hard_bounce") is not True
        )
        yield builder.build_bounce(
            letter,
            get_text(event.get("comment")),
            notice="" if error in _REASON_BY_ERROR else error,
            bounce_class=bounce_class,
        )
