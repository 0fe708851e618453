"""Mailgun: what its webhooks' event-data says."""

from __future__ import annotations

import re
from typing import Any

from mailer.domain.bounce import Reason
from mailer.domain.delivery_feedback import CameBack
from mailer.mail.provider_events.event_builder import OPT_OUT, OfLetter, ProviderClass, Telling
from mailer.mail.provider_events.json_access import moment, part, text

_CLASSES = {
    "suppress-bounce": ProviderClass(certain=Reason.DISABLED),
    "bounce": ProviderClass(otherwise=Reason.UNKNOWN_USER),
    "old": ProviderClass(otherwise=Reason.EXPIRED),
    "espblock": ProviderClass(otherwise=Reason.BLOCKED),
}
"""By reason. Of suppress-bounce Mailgun does not even try: it bounced before."""
_COMPLAINTS = {"suppress-complaint": "abuse", "suppress-unsubscribe": OPT_OUT}
"""Reasons for which Mailgun does not try; the person's wish is told once more."""
_REPLY = re.compile(r"[45]\d\d\b")


def read_mailgun(said: Any, telling: Telling) -> tuple[CameBack, ...]:
    """What came back; nothing for letters accepted, delivered, opened, clicked, or still tried."""
    data = part(said, "event-data")
    letter = OfLetter(
        to=text(part(data, "recipient")),
        senders=(text(part(data, "envelope", "sender")),),
        message_id=text(part(data, "message", "headers", "message-id")),
        at=moment(part(data, "timestamp"), telling.now),
    )
    event = text(part(data, "event"))
    if event == "complained":
        return (telling.complaint(letter),)
    if event == "unsubscribed":
        return (telling.complaint(letter, OPT_OUT),)
    if event == "rejected":
        refused = text(part(data, "reject", "reason")), text(part(data, "reject", "description"))
        return (telling.bounce(letter, notice=" ".join(refused), by=ProviderClass(certain=Reason.POLICY)),)
    if event == "failed" and part(data, "severity") == "permanent":
        return (_failed(data, letter, telling),)
    return ()


def _failed(data: Any, letter: OfLetter, telling: Telling) -> CameBack:
    reason, status = text(part(data, "reason")), part(data, "delivery-status")
    if reason in _COMPLAINTS:
        return telling.complaint(letter, _COMPLAINTS[reason])
    said, code = text(part(status, "message")), part(status, "code")
    if said and isinstance(code, int) and 400 <= code < 600 and not _REPLY.match(said):
        said = f"{code} {said}"
    notice = text(part(status, "description"))
    return telling.bounce(letter, said, text(part(status, "enhanced-code")), notice=notice, by=_CLASSES.get(reason))
