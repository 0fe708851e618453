"""Amazon SES: what its notifications and events say (the Message of an SNS notification)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailer.domain.bounce import Reason
from mailer.domain.delivery_feedback import CameBack
from mailer.mail.provider_events.event_builder import OPT_OUT, OfLetter, ProviderClass, Telling
from mailer.mail.provider_events.json_access import each, moment, part, text

_MOST = 50
"""Recipients of one letter; SES allows no more."""
_CLASSES = {
    ("Permanent", "General"): ProviderClass(otherwise=Reason.UNKNOWN_USER),
    # SES does not even try: it refused before.
    ("Permanent", "Suppressed"): ProviderClass(certain=Reason.DISABLED),
    ("Permanent", "OnAccountSuppressionList"): ProviderClass(certain=Reason.DISABLED),
    ("Transient", "MailboxFull"): ProviderClass(certain=Reason.FULL),
    ("Transient", "MessageTooLarge"): ProviderClass(certain=Reason.TOO_LARGE),
    ("Transient", "ContentRejected"): ProviderClass(certain=Reason.CONTENT),
    ("Transient", "AttachmentRejected"): ProviderClass(certain=Reason.CONTENT),
    ("Transient", "CustomTimeoutExceeded"): ProviderClass(certain=Reason.EXPIRED),
}
"""By bounceType and bounceSubType; of others the words decide, and what is not permanent is never hard."""


def read_ses(said: Any, telling: Telling) -> tuple[CameBack, ...]:
    """What came back, by an SES notification or event; nothing for deliveries, delays, opens and clicks."""
    kind = text(part(said, "notificationType")) or text(part(said, "eventType"))
    readers = {"Bounce": _bounces, "Complaint": _complaints, "Reject": _rejects, "Subscription": _unsubscribed}
    return tuple(readers[kind](said, telling)) if kind in readers else ()


def _bounces(said: Any, telling: Telling) -> Iterator[CameBack]:
    bounce = part(said, "bounce")
    kind, detail = text(part(bounce, "bounceType")), text(part(bounce, "bounceSubType"))
    by = _CLASSES.get((kind, detail), ProviderClass(mild=kind != "Permanent"))
    for one in list(each(part(bounce, "bouncedRecipients")))[:_MOST]:
        letter = _letter(said, bounce, one.get("emailAddress"), telling)
        diagnostic = text(one.get("diagnosticCode")).removeprefix("smtp;").strip()
        yield telling.bounce(letter, diagnostic, text(one.get("status")), by=by)


def _complaints(said: Any, telling: Telling) -> Iterator[CameBack]:
    complaint = part(said, "complaint")
    kind = text(part(complaint, "complaintFeedbackType")) or "abuse"
    for one in list(each(part(complaint, "complainedRecipients")))[:_MOST]:
        yield telling.complaint(_letter(said, complaint, one.get("emailAddress"), telling), kind)


def _rejects(said: Any, telling: Telling) -> Iterator[CameBack]:
    """SES found something harmful in the letter, and sends it to nobody."""
    for to in _destinations(said):
        letter = _letter(said, part(said, "reject"), to, telling)
        yield telling.bounce(
            letter, notice=text(part(said, "reject", "reason")), by=ProviderClass(certain=Reason.CONTENT)
        )


def _unsubscribed(said: Any, telling: Telling) -> Iterator[CameBack]:
    subscription = part(said, "subscription")
    if part(subscription, "newTopicPreferences", "unsubscribeAll") is True:
        for to in _destinations(said):
            yield telling.complaint(_letter(said, subscription, to, telling), OPT_OUT)


def _destinations(said: Any) -> list[Any]:
    destinations = part(said, "mail", "destination")
    return destinations[:_MOST] if isinstance(destinations, list) else []


def _letter(said: Any, event: Any, to: Any, telling: Telling) -> OfLetter:
    mail = part(said, "mail")
    headers = {text(one.get("name")).lower(): text(one.get("value")) for one in each(part(mail, "headers"))}
    senders = text(part(mail, "source")), text(part(mail, "commonHeaders", "returnPath"))
    message_id = text(part(mail, "commonHeaders", "messageId")) or headers.get("message-id", "")
    at = moment(part(event, "timestamp"), telling.now)
    return OfLetter(to=text(to), senders=senders, message_id=message_id, at=at)
