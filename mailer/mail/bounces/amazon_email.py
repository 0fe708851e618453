"""Amazon SES's notifications, as Amazon SNS mails them: JSON in a text, whose lines may be broken on the way."""

from __future__ import annotations

import re
from collections.abc import Collection

from mailer.domain.bounce import Action, Returned, ReturnKind, perhaps
from mailer.mail.bounces.address_extraction import is_own
from mailer.mail.bounces.arf_complaint import complaint_for
from mailer.mail.bounces.classify_bounce import judged

_LOOKED_AT = 32_000
_KIND = re.compile(r'"(?:notificationType|eventType)"\s{0,4}:\s{0,4}"(Bounce|Complaint|Delivery|DeliveryDelay)"')
_LIST = re.compile(r'"(?:bounced|complained|delayed)Recipients"\s{0,4}:\s{0,4}\[([^\]]{0,20000})\]')
_DELIVERED = re.compile(r'"delivery"\s{0,4}:\s{0,4}\{.{0,4000}?"recipients"\s{0,4}:\s{0,4}\[([^\]]{0,20000})\]')
_EACH = re.compile(r"\{[^{}]{0,4000}\}")
_VALUE = re.compile(r'"(\w{1,40})"\s{0,4}:\s{0,4}"((?:[^"\\]|\\.){0,2000})"')
_TYPE = re.compile(r'"complaintFeedbackType"\s{0,4}:\s{0,4}"([\w-]{1,40})"')
_STRING = re.compile(r'"([^"\\]{3,320})"')
_PERMANENT = re.compile(r'"bounceType"\s{0,4}:\s{0,4}"Permanent"')
"""Of others SES may think better, and what does not say may have lost it."""


def amazon_notification(text: str, own: Collection[str]) -> Returned | None:
    """What SES notifies of, or None where the text is nothing of the kind."""
    if not text.lstrip().startswith("{"):
        return None
    json = re.sub(r"\n ?", "", text[:_LOOKED_AT])
    kind = _KIND.search(json)
    if kind is None:
        return None
    listed = _LIST.search(json)
    each = [dict(_VALUE.findall(found[0])) for found in _EACH.finditer(listed[1])] if listed else []
    each = [values for values in each if "@" in (to := values.get("emailAddress", "")) and not is_own(to, own)]
    if kind[1] == "Complaint":
        stated = _TYPE.search(json)
        return complaint_for(stated[1].lower() if stated else "abuse", [values["emailAddress"] for values in each])
    if kind[1] == "Delivery":
        to = _DELIVERED.search(json)
        addresses = [one for one in _STRING.findall(to[1]) if "@" in one and not is_own(one, own)] if to else []
        given = tuple(judged(address=address, action=Action.DELIVERED, status=None, said="") for address in addresses)
        return Returned(kind=ReturnKind.RECEIPT, recipients=given)
    action = Action.FAILED if kind[1] == "Bounce" else Action.DELAYED
    permanent = _PERMANENT.search(json) is not None
    told = (
        judged(
            address=values["emailAddress"],
            action=action,
            status=values.get("status") or (None if permanent else "4.0.0"),
            said=values.get("diagnosticCode", "").removeprefix("smtp;").strip(),
        )
        for values in each
    )
    return Returned(
        kind=ReturnKind.BOUNCE if action is Action.FAILED else ReturnKind.DELAY,
        recipients=tuple(one if permanent else perhaps(one) for one in told),
    )
