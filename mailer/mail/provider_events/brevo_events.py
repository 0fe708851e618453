"""Brevo: what its transactional webhooks say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mailer.domain.bounce import Reason
from mailer.domain.delivery_feedback import CameBack
from mailer.mail.provider_events.event_builder import OPT_OUT, OfLetter, ProviderClass, Telling
from mailer.mail.provider_events.json_access import each, moment, text

_CLASSES = {
    "hard_bounce": ProviderClass(otherwise=Reason.UNKNOWN_USER),
    "soft_bounce": ProviderClass(mild=True),
    "invalid_email": ProviderClass(certain=Reason.UNKNOWN_USER),
    "invalid": ProviderClass(certain=Reason.UNKNOWN_USER),
    # Brevo does not even try: it is on its block list.
    "blocked": ProviderClass(otherwise=Reason.DISABLED),
    "error": ProviderClass(otherwise=Reason.SYSTEM_TROUBLE, mild=True),
}
"""By event."""
_OWN_ID = re.compile(r"@[\w.-]{0,100}\b(?:mailin\.fr|sendinblue\.com|brevo\.com)>?")
"""A Message-ID that Brevo made in place of ours tells nothing; any other that is not ours is of another's letter."""
_COMPLAINTS = {"spam": "abuse", "complaint": "abuse", "unsubscribed": OPT_OUT, "unsubscribe": OPT_OUT}


def read_brevo(said: Any, telling: Telling) -> tuple[CameBack, ...]:
    """What came back, one event or a batch; nothing for letters sent, delivered, deferred, opened or clicked."""
    return tuple(found for event in each(said) for found in _event(event, telling))


def _event(event: dict[str, Any], telling: Telling) -> Iterator[CameBack]:
    kind = text(event.get("event"))
    message_id = text(event.get("message-id"))
    if _OWN_ID.search(message_id):
        message_id = ""
    letter = OfLetter(to=text(event.get("email")), message_id=message_id, at=_at(event, telling))
    if kind in _COMPLAINTS:
        yield telling.complaint(letter, _COMPLAINTS[kind])
    elif kind in _CLASSES:
        yield telling.bounce(letter, text(event.get("reason")), by=_CLASSES[kind])


def _at(event: dict[str, Any], telling: Telling) -> Any:
    """Of the times that stand there `date` is in the zone of the account."""
    if "ts_event" in event:
        return moment(event["ts_event"], telling.now)
    return moment(event.get("ts_epoch"), telling.now, milliseconds=True)
