"""Amazon SES: what its notifications and events say (the Message of an SNS notification)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailer.domain.bounce import BounceReason
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.mail.provider_events.event_builder import OPT_OUT, BounceClass, EventBuilder, LetterReference
from mailer.mail.provider_events.json_access import get_path, get_text, iterate_objects, parse_time

_MAX_RECIPIENTS = 50
"""Recipients of one letter; SES allows no more."""
_BOUNCE_CLASSES = {
    ("Permanent", "General"): BounceClass(fallback=BounceReason.UNKNOWN_USER),
    # SES does not even try: it refused before.
    ("Permanent", "Suppressed"): BounceClass(reason=BounceReason.DISABLED),
    ("Permanent", "OnAccountSuppressionList"): BounceClass(reason=BounceReason.DISABLED),
    ("Transient", "MailboxFull"): BounceClass(reason=BounceReason.FULL),
    ("Transient", "MessageTooLarge"): BounceClass(reason=BounceReason.TOO_LARGE),
    ("Transient", "ContentRejected"): BounceClass(reason=BounceReason.CONTENT),
    ("Transient", "AttachmentRejected"): BounceClass(reason=BounceReason.CONTENT),
    ("Transient", "CustomTimeoutExceeded"): BounceClass(reason=BounceReason.EXPIRED),
}
"""By bounceType and bounceSubType; of others the words decide, and what is not permanent is never hard."""


def parse_ses_events(said: Any, telling: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """What came back, by an SES notification or event; nothing for deliveries, delays, opens and clicks."""
    kind = get_text(get_path(said, "notificationType")) or get_text(get_path(said, "eventType"))
    readers = {
        "Bounce": _parse_bounces,
        "Complaint": _parse_complaints,
        "Reject": _parse_rejects,
        "Subscription": _parse_unsubscribes,
    }
    return tuple(readers[kind](said, telling)) if kind in readers else ()


def _parse_bounces(said: Any, telling: EventBuilder) -> Iterator[DeliveryFeedback]:
    bounce = get_path(said, "bounce")
    kind, detail = get_text(get_path(bounce, "bounceType")), get_text(get_path(bounce, "bounceSubType"))
    by = _BOUNCE_CLASSES.get((kind, detail), BounceClass(never_hard=kind != "Permanent"))
    for one in list(iterate_objects(get_path(bounce, "bouncedRecipients")))[:_MAX_RECIPIENTS]:
        letter = _letter_reference(said, bounce, one.get("emailAddress"), telling)
        diagnostic = get_text(one.get("diagnosticCode")).removeprefix("smtp;").strip()
        yield telling.build_bounce(letter, diagnostic, get_text(one.get("status")), bounce_class=by)


def _parse_complaints(said: Any, telling: EventBuilder) -> Iterator[DeliveryFeedback]:
    complaint = get_path(said, "complaint")
    kind = get_text(get_path(complaint, "complaintFeedbackType")) or "abuse"
    for one in list(iterate_objects(get_path(complaint, "complainedRecipients")))[:_MAX_RECIPIENTS]:
        yield telling.build_complaint(_letter_reference(said, complaint, one.get("emailAddress"), telling), kind)


def _parse_rejects(said: Any, telling: EventBuilder) -> Iterator[DeliveryFeedback]:
    """SES found something harmful in the letter, and sends it to nobody."""
    for to in _destinations(said):
        letter = _letter_reference(said, get_path(said, "reject"), to, telling)
        yield telling.build_bounce(
            letter,
            notice=get_text(get_path(said, "reject", "reason")),
            bounce_class=BounceClass(reason=BounceReason.CONTENT),
        )


def _parse_unsubscribes(said: Any, telling: EventBuilder) -> Iterator[DeliveryFeedback]:
    subscription = get_path(said, "subscription")
    if get_path(subscription, "newTopicPreferences", "unsubscribeAll") is True:
        for to in _destinations(said):
            yield telling.build_complaint(_letter_reference(said, subscription, to, telling), OPT_OUT)


def _destinations(said: Any) -> list[Any]:
    destinations = get_path(said, "mail", "destination")
    return destinations[:_MAX_RECIPIENTS] if isinstance(destinations, list) else []


def _letter_reference(said: Any, event: Any, to: Any, telling: EventBuilder) -> LetterReference:
    mail = get_path(said, "mail")
    headers = {
        get_text(one.get("name")).lower(): get_text(one.get("value"))
        for one in iterate_objects(get_path(mail, "headers"))
    }
    senders = get_text(get_path(mail, "source")), get_text(get_path(mail, "commonHeaders", "returnPath"))
    message_id = get_text(get_path(mail, "commonHeaders", "messageId")) or headers.get("message-id", "")
    at = parse_time(get_path(event, "timestamp"), telling.now)
    return LetterReference(recipient=get_text(to), senders=senders, message_id=message_id, at=at)
