"""Mailgun: what its webhooks' event-data says."""

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
"""By reason. Of suppress-bounce Mailgun does not even try: it bounced before."""
_COMPLAINT_TYPES = {"suppress-complaint": "abuse", "suppress-unsubscribe": OPT_OUT}
"""Reasons for which Mailgun does not try; the person's wish is told once more."""
_SMTP_REPLY = re.compile(r"[45]\d\d\b")


def parse_mailgun_events(said: Any, telling: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """What came back; nothing for letters accepted, delivered, opened, clicked, or still tried."""
    data = get_path(said, "event-data")
    letter = LetterReference(
        recipient=get_text(get_path(data, "recipient")),
        senders=(get_text(get_path(data, "envelope", "sender")),),
        message_id=get_text(get_path(data, "message", "headers", "message-id")),
        at=parse_time(get_path(data, "timestamp"), telling.now),
    )
    event = get_text(get_path(data, "event"))
    if event == "complained":
        return (telling.build_complaint(letter),)
    if event == "unsubscribed":
        return (telling.build_complaint(letter, OPT_OUT),)
    if event == "rejected":
        refused = get_text(get_path(data, "reject", "reason")), get_text(get_path(data, "reject", "description"))
        return (
            telling.build_bounce(
                letter, notice=" ".join(refused), bounce_class=BounceClass(reason=BounceReason.POLICY)
            ),
        )
    if event == "failed" and get_path(data, "severity") == "permanent":
        return (_parse_failure(data, letter, telling),)
    return ()


def _parse_failure(data: Any, letter: LetterReference, telling: EventBuilder) -> DeliveryFeedback:
    reason, status = get_text(get_path(data, "reason")), get_path(data, "delivery-status")
    if reason in _COMPLAINT_TYPES:
        return telling.build_complaint(letter, _COMPLAINT_TYPES[reason])
    said, code = get_text(get_path(status, "message")), get_path(status, "code")
    if said and isinstance(code, int) and 400 <= code < 600 and not _SMTP_REPLY.match(said):
        said = f"{code} {said}"
    notice = get_text(get_path(status, "description"))
    return telling.build_bounce(
        letter,
        said,
        get_text(get_path(status, "enhanced-code")),
        notice=notice,
        bounce_class=_BOUNCE_CLASSES.get(reason),
    )
