"""SendGrid: what its event webhook says, many events in one call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailer.domain.bounce import Reason
from mailer.domain.delivery_feedback import CameBack
from mailer.mail.provider_events.event_builder import OPT_OUT, OfLetter, ProviderClass, Telling
from mailer.mail.provider_events.json_access import each, moment, text

_BY_CLASS = {
    "invalid address": Reason.UNKNOWN_USER,
    "mailbox unavailable": Reason.SUSPENDED,
    "content": Reason.CONTENT,
    "reputation": Reason.BLOCKED,
    "frequency or volume too high": Reason.RATE,
    "technical failure": Reason.SYSTEM_TROUBLE,
}
"""By bounce_classification, where the words tell nothing."""
_DROPPED = {
    "bounced address": ProviderClass(certain=Reason.DISABLED),
    "invalid smtpapi header": ProviderClass(certain=Reason.POLICY),
    "invalid": ProviderClass(certain=Reason.UNKNOWN_USER),
    "spam content": ProviderClass(certain=Reason.CONTENT),
    "recipient list over package quota": ProviderClass(certain=Reason.RATE),
}
"""By how the reason begins: what SendGrid does not even try to send."""
_DROPPED_COMPLAINTS = {"spam reporting address": "abuse", "unsubscribed address": OPT_OUT}
_COMPLAINTS = {"spamreport": "abuse", "unsubscribe": OPT_OUT, "group_unsubscribe": OPT_OUT}


def read_sendgrid(said: Any, telling: Telling) -> tuple[CameBack, ...]:
    """What came back; nothing for letters processed, delivered, deferred, opened or clicked."""
    return tuple(found for event in each(said) for found in _event(event, telling))


def _event(event: dict[str, Any], telling: Telling) -> Iterator[CameBack]:
    kind, reason = text(event.get("event")), text(event.get("reason"))
    letter = OfLetter(
        to=text(event.get("email")),
        message_id=text(event.get("smtp-id")),
        at=moment(event.get("timestamp"), telling.now),
    )
    if kind in _COMPLAINTS:
        yield telling.complaint(letter, _COMPLAINTS[kind])
    elif kind == "bounce":
        otherwise = _BY_CLASS.get(text(event.get("bounce_classification")).lower())
        by = ProviderClass(otherwise=otherwise, mild=event.get("type") == "blocked")
        yield telling.bounce(letter, reason, text(event.get("status")), by=by)
    elif kind == "dropped":
        yield _dropped(letter, reason, telling)


def _dropped(letter: OfLetter, reason: str, telling: Telling) -> CameBack:
    lowered = reason.lower()
    for opening, kind in _DROPPED_COMPLAINTS.items():
        if lowered.startswith(opening):
            return telling.complaint(letter, kind)
    by = next((found for opening, found in _DROPPED.items() if lowered.startswith(opening)), ProviderClass(mild=True))
    return telling.bounce(letter, notice=reason, by=by)
