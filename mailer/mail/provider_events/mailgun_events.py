"""Mailgun: bounces and complaints in the event-data of its webhooks."""

from __future__ import annotations

import re
from typing import Any

from mailer.domain.bounce import BounceReason
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.mail.provider_events.event_builder import OPT_OUT, BounceClass, EventBuilder, LetterReference
from mailer.mail.provider_events.json_access import get_path, get_text, parse_time

_BOUNCE_CLASSES = {
    "suppress-bounce": BounceClass(reason=BounceReason.DISABLED),
    "bounce": BounceClass(fallback=BounceReason.UNKNOWN_USER),
    "old": BounceClass(fallback=BounceReason.EXPIRED),
    "espblock": BounceClass(fallback=BounceReason.BLOCKED),
}
"""By reason. suppress-bounce: a letter bounced before, so that Mailgun does not try to send."""
_COMPLAINT_TYPES = {"suppress-complaint": "abuse", "suppress-unsubscribe": OPT_OUT}
"""By reason: the person complained or unsubscribed before, so that Mailgun does not try to send."""
_SMTP_REPLY = re.compile(r"[45]\d\d\b")


def parse_mailgun_events(payload: Any, builder: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """The feedback in an event; events of other kinds (delivered, opened, temporary failure ...) give none."""
    data = get_path(payload, "event-data")
    letter = LetterReference(
        recipient=get_text(get_path(data, "recipient")),
        senders=(get_text(get_path(data, "envelope", "sender")),),
        message_id=get_text(get_path(data, "message", "headers", "message-id")),
        at=parse_time(get_path(data, "timestamp"), builder.now),
    )
    event = get_text(get_path(data, "event"))
    if event == "complained":
        return (builder.build_complaint(letter),)
    if event == "unsubscribed":
        return (builder.build_complaint(letter, OPT_OUT),)
    if event == "rejected":
        texts = get_text(get_path(data, "reject", "reason")), get_text(get_path(data, "reject", "description"))
        return (
            builder.build_bounce(letter, notice=" ".join(texts), bounce_class=BounceClass(reason=BounceReason.POLICY)),
        )
    if event == "failed" and get_path(data, "severity") == "permanent":
        return (_parse_failure(data, letter, builder),)
    return ()


def _parse_failure(data: Any, letter: LetterReference, builder: EventBuilder) -> DeliveryFeedback:
    reason, status = get_text(get_path(data, "reason")), get_path(data, "delivery-status")
    if reason in _COMPLAINT_TYPES:
        return builder.build_complaint(letter, _COMPLAINT_TYPES[reason])
    reply, code = get_text(get_path(status, "message")), get_path(status, "code")
    if reply and isinstance(code, int) and 400 <= code < 600 and not _SMTP_REPLY.match(reply):
        reply = f"{code} {reply}"
    notice = get_text(get_path(status, "description"))
    return builder.build_bounce(
        letter,
        reply,
        get_text(get_path(status, "enhanced-code")),
        notice=notice,
        bounce_class=_BOUNCE_CLASSES.get(reason),
    )
