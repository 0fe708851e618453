"""Postmark: what its bounce, spam complaint and subscription change webhooks say."""

from __future__ import annotations

import re
from typing import Any

from mailer.domain.bounce import Reason
from mailer.domain.delivery_feedback import CameBack
from mailer.mail.provider_events.event_builder import OPT_OUT, OfLetter, ProviderClass, Telling
from mailer.mail.provider_events.json_access import moment, part, text

_CLASSES = {
    "HardBounce": ProviderClass(otherwise=Reason.UNKNOWN_USER),
    "SoftBounce": ProviderClass(mild=True),
    "Unknown": ProviderClass(mild=True),
    "AddressChange": ProviderClass(mild=True),
    "DnsError": ProviderClass(certain=Reason.UNREACHABLE),
    "SpamNotification": ProviderClass(certain=Reason.CONTENT),
    "VirusNotification": ProviderClass(certain=Reason.CONTENT),
    "ChallengeVerification": ProviderClass(certain=Reason.RESTRICTED),
    "BadEmailAddress": ProviderClass(certain=Reason.UNKNOWN_USER),
    "ManuallyDeactivated": ProviderClass(certain=Reason.DISABLED),
    "Blocked": ProviderClass(otherwise=Reason.BLOCKED, mild=True),
    "SMTPApiError": ProviderClass(otherwise=Reason.POLICY, mild=True),
    "DMARCPolicy": ProviderClass(certain=Reason.AUTHENTICATION),
}
"""By Type; others are no bounces: delays (Transient), vacations (AutoResponder), tests."""
_COMPLAINTS = {"SpamComplaint": "abuse", "Unsubscribe": OPT_OUT}
_LOOKED_AT = 100_000


def read_postmark(said: Any, telling: Telling) -> tuple[CameBack, ...]:
    """What came back; nothing for deliveries, opens, clicks, delays and vacations."""
    record, kind = text(part(said, "RecordType")), text(part(said, "Type"))
    if record == "SubscriptionChange":
        return _changed(said, telling)
    letter = _letter(said, "Email", "BouncedAt", telling)
    if record in {"Bounce", "SpamComplaint"} and (record in _COMPLAINTS or kind in _COMPLAINTS):
        return (telling.complaint(letter, _COMPLAINTS.get(record) or _COMPLAINTS[kind]),)
    if record == "Bounce" and kind in _CLASSES:
        details = text(part(said, "Details")).removeprefix("smtp;").strip()
        return (telling.bounce(letter, details, by=_CLASSES[kind]),)
    return ()


def _changed(said: Any, telling: Telling) -> tuple[CameBack, ...]:
    """Somebody came onto the list of those Postmark does not send to; whom the organisers put there, they know."""
    if part(said, "SuppressSending") is not True:
        return ()
    letter = _letter(said, "Recipient", "ChangedAt", telling)
    why, who = text(part(said, "SuppressionReason")), text(part(said, "Origin"))
    if why == "HardBounce":
        return (telling.bounce(letter, by=_CLASSES["HardBounce"]),)
    if why == "SpamComplaint":
        return (telling.complaint(letter),)
    return (telling.complaint(letter, OPT_OUT),) if who == "Recipient" else ()


def _letter(said: Any, to: str, at: str, telling: Telling) -> OfLetter:
    """Postmark's MessageID is its own; ours stands in the bounce, where its text is sent along."""
    own = re.compile(rf"<[0-9a-f]{{32}}@{re.escape(telling.house.domain)}>")
    found = own.search(text(part(said, "Content"), _LOOKED_AT))
    when = moment(part(said, at), telling.now)
    return OfLetter(to=text(part(said, to)), message_id=found[0] if found else "", at=when)
