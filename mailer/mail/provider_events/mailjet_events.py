"""Mailjet: what its event callbacks say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailer.domain.bounce import Reason
from mailer.domain.delivery_feedback import CameBack
from mailer.mail.provider_events.event_builder import OPT_OUT, OfLetter, ProviderClass, Telling
from mailer.mail.provider_events.json_access import each, moment, text

_ERRORS = {
    "user unknown": Reason.UNKNOWN_USER,
    "mailbox inactive": Reason.DISABLED,
    "quota exceeded": Reason.FULL,
    "blacklisted": Reason.DISABLED,
    "preblocked": Reason.SUSPENDED,
    "invalid domain": Reason.UNKNOWN_HOST,
    "no mail host": Reason.UNKNOWN_HOST,
    "relay/access denied": Reason.RELAY_DENIED,
    "greylisted": Reason.SYSTEM_TROUBLE,
    "sender blocked": Reason.BLOCKED,
    "content blocked": Reason.CONTENT,
    "policy issue": Reason.POLICY,
    "system issue": Reason.SYSTEM_TROUBLE,
    "protocol issue": Reason.SYSTEM_TROUBLE,
    "connection issue": Reason.UNREACHABLE,
    "bad or empty template": Reason.CONTENT,
    "error in template language": Reason.CONTENT,
}
"""By error, where the comment tells nothing. Of blacklisted and preblocked Mailjet does not even try: a letter, perhaps
another account's, bounced before."""
_COMPLAINTS = {"spam": "abuse", "unsub": OPT_OUT}
_NOT_SENT_TWICE, _COMPLAINED = "duplicate in campaign", "spam reporter"


def read_mailjet(said: Any, telling: Telling) -> tuple[CameBack, ...]:
    """What came back, one event or a group; nothing for letters sent, opened or clicked."""
    return tuple(found for event in each(said) for found in _event(event, telling))


def _event(event: dict[str, Any], telling: Telling) -> Iterator[CameBack]:
    """Its MessageID is Mailjet's own: the address is all that tells whose letter it was."""
    kind, error = text(event.get("event")), text(event.get("error")).lower()
    letter = OfLetter(to=text(event.get("email")), at=moment(event.get("time"), telling.now))
    if kind in _COMPLAINTS:
        yield telling.complaint(letter, _COMPLAINTS[kind])
    elif kind in {"bounce", "blocked"} and error == _COMPLAINED:
        yield telling.complaint(letter)
    elif kind in {"bounce", "blocked"} and error != _NOT_SENT_TWICE:
        # A bounce says for itself whether it is for good; what is blocked, by its error.
        by = ProviderClass(otherwise=_ERRORS.get(error), mild=kind == "bounce" and event.get("hard_bounce") is not True)
        yield telling.bounce(letter, text(event.get("comment")), notice="" if error in _ERRORS else error, by=by)
