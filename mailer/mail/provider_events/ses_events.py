"""Amazon SES: bounces and complaints in its notifications and events (the Message of an SNS notification)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailer.domain.bounce import BounceReason
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.mail.provider_events.event_builder import OPT_OUT, BounceClass, EventBuilder, LetterReference
from mailer.mail.provider_events.json_access import get_path, get_text, iterate_objects, parse_time

_MAX_RECIPIENTS = 50
"""Recipients of one letter: the limit of SES."""
_BOUNCE_CLASSES = {
    ("Permanent", "General"): BounceClass(fallback=BounceReason.UNKNOWN_USER),
    # The address is on a suppression list: SES does not try to send.
    ("Permanent", "Suppressed"): BounceClass(reason=BounceReason.DISABLED),
    ("Permanent", "OnAccountSuppressionList"): BounceClass(reason=BounceReason.DISABLED),
    ("Transient", "MailboxFull"): BounceClass(reason=BounceReason.FULL),
    ("Transient", "MessageTooLarge"): BounceClass(reason=BounceReason.TOO_LARGE),
    ("Transient", "ContentRejected"): BounceClass(reason=BounceReason.CONTENT),
    ("Transient", "AttachmentRejected"): BounceClass(reason=BounceReason.CONTENT),
    ("Transient", "CustomTimeoutExceeded"): BounceClass(reason=BounceReason.EXPIRED),
}
"""By bounceType and bounceSubType; for others the reply decides, and what is not Permanent is never hard."""


def parse_ses_events(payload: Any, builder: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """The feedback in an SES notification or event; deliveries, delays, opens and clicks give none."""
    kind = get_text(get_path(payload, "notificationType")) or get_text(get_path(payload, "eventType"))
    readers = {
        "Bounce": _parse_bounces,
        "Complaint": _parse_complaints,
        "Reject": _parse_rejects,
        "Subscription": _parse_unsubscribes,
    }
    return tuple(readers[kind](payload, builder)) if kind in readers else ()


def _parse_bounces(payload: Any, builder: EventBuilder) -> Iterator[DeliveryFeedback]:
    bounce = get_path(payload, "bounce")
    kind, detail = get_text(get_path(bounce, "bounceType")), get_text(get_path(bounce, "bounceSubType"))
    bounce_class = _BOUNCE_CLASSES.get((kind, detail), BounceClass(never_hard=kind != "Permanent"))
    for one in list(iterate_objects(get_path(bounce, "bouncedRecipients")))[:_MAX_RECIPIENTS]:
        letter = _letter_reference(payload, bounce, one.get("emailAddress"), builder)
        diagnostic = get_text(one.get("diagnosticCode")).removeprefix("smtp;").strip()
        yield builder.build_bounce(letter, diagnostic, get_text(one.get("status")), bounce_class=bounce_class)


def _parse_complaints(payload: Any, builder: EventBuilder) -> Iterator[DeliveryFeedback]:
    complaint = get_path(payload, "complaint")
    kind = get_text(get_path(complaint, "complaintFeedbackType")) or "abuse"
    for one in list(iterate_objects(get_path(complaint, "complainedRecipients")))[:_MAX_RECIPIENTS]:
        yield builder.build_complaint(_letter_reference(payload, complaint, one.get("emailAddress"), builder), kind)


def _parse_rejects(payload: Any, builder: EventBuilder) -> Iterator[DeliveryFeedback]:
    """SES found harmful content in the letter and sent it to no recipient."""
    for to in _destinations(payload):
        letter = _letter_reference(payload, get_path(payload, "reject"), to, builder)
        yield builder.build_bounce(
            letter,
            notice=get_text(get_path(payload, "reject", "reason")),
            bounce_class=BounceClass(reason=BounceReason.CONTENT),
        )


def _parse_unsubscribes(payload: Any, builder: EventBuilder) -> Iterator[DeliveryFeedback]:
    subscription = get_path(payload, "subscription")
    if get_path(subscription, "newTopicPreferences", "unsubscribeAll") is True:
        for to in _destinations(payload):
            yield builder.build_complaint(_letter_reference(payload, subscription, to, builder), OPT_OUT)


def _destinations(payload: Any) -> list[Any]:
    destinations = get_path(payload, "mail", "destination")
    return destinations[:_MAX_RECIPIENTS] if isinstance(destinations, list) else []


def _letter_reference(payload: Any, event: Any, to: Any, builder: EventBuilder) -> LetterReference:
    mail = get_path(payload, "mail")
    headers = {
        get_text(one.get("name")).lower(): get_text(one.get("value"))
        for one in iterate_objects(get_path(mail, "headers"))
    }
    senders = get_text(get_path(mail, "source")), get_text(get_path(mail, "commonHeaders", "returnPath"))
    message_id = get_text(get_path(mail, "commonHeaders", "messageId")) or headers.get("message-id", "")
    at = parse_time(get_path(event, "timestamp"), builder.now)
    return LetterReference(recipient=get_text(to), senders=senders, message_id=message_id, at=at)
