"""Amazon SES notifications that SNS sends by mail: JSON in a text part, whose lines may be broken on the way."""

from __future__ import annotations

import re
from collections.abc import Collection

from mailer.domain.bounce import DsnAction, FeedbackKind, ParsedBounce, soften_hard_bounce
from mailer.mail.bounces.address_extraction import is_own_address
from mailer.mail.bounces.arf_complaint import build_complaint
from mailer.mail.bounces.classify_bounce import classify_bounce

_MAX_CHARACTERS = 32_000
_EVENT_TYPE = re.compile(r'"(?:notificationType|eventType)"\s{0,4}:\s{0,4}"(Bounce|Complaint|Delivery|DeliveryDelay)"')
_RECIPIENT_LIST = re.compile(r'"(?:bounced|complained|delayed)Recipients"\s{0,4}:\s{0,4}\[([^\]]{0,20000})\]')
_DELIVERY_RECIPIENTS = re.compile(
    r'"delivery"\s{0,4}:\s{0,4}\{.{0,4000}?"recipients"\s{0,4}:\s{0,4}\[([^\]]{0,20000})\]'
)
_RECIPIENT_OBJECT = re.compile(r"\{[^{}]{0,4000}\}")
_STRING_MEMBER = re.compile(r'"(\w{1,40})"\s{0,4}:\s{0,4}"((?:[^"\\]|\\.){0,2000})"')
_FEEDBACK_TYPE = re.compile(r'"complaintFeedbackType"\s{0,4}:\s{0,4}"([\w-]{1,40})"')
_STRING = re.compile(r'"([^"\\]{3,320})"')
_PERMANENT = re.compile(r'"bounceType"\s{0,4}:\s{0,4}"Permanent"')
"""SES may retry any other type; a notification without the field may have lost it."""


def parse_ses_email(text: str, own: Collection[str]) -> ParsedBounce | None:
    """The bounce, delay, complaint or receipt that SES reports; None where the text is no SES notification."""
    if not text.lstrip().startswith("{"):
        return None
    json = re.sub(r"\n ?", "", text[:_MAX_CHARACTERS])
    kind = _EVENT_TYPE.search(json)
    if kind is None:
        return None
    recipients = _find_recipients(json, own)
    if kind[1] == "Complaint":
        feedback_type = _FEEDBACK_TYPE.search(json)
        return build_complaint(
            feedback_type[1].lower() if feedback_type else "abuse", [values["emailAddress"] for values in recipients]
        )
    if kind[1] == "Delivery":
        to = _DELIVERY_RECIPIENTS.search(json)
        addresses = [one for one in _STRING.findall(to[1]) if "@" in one and not is_own_address(one, own)] if to else []
        delivered = tuple(
            classify_bounce(address=address, action=DsnAction.DELIVERED, status=None, diagnostic="")
            for address in addresses
        )
        return ParsedBounce(kind=FeedbackKind.RECEIPT, recipients=delivered)
    action = DsnAction.FAILED if kind[1] == "Bounce" else DsnAction.DELAYED
    permanent = _PERMANENT.search(json) is not None
    bounces = (
        classify_bounce(
            address=values["emailAddress"],
            action=action,
            status=values.get("status") or (None if permanent else "4.0.0"),
            diagnostic=values.get("diagnosticCode", "").removeprefix("smtp;").strip(),
        )
        for values in recipients
    )
    return ParsedBounce(
        kind=FeedbackKind.BOUNCE if action is DsnAction.FAILED else FeedbackKind.DELAY,
        recipients=tuple(one if permanent else soften_hard_bounce(one) for one in bounces),
    )


def _find_recipients(json: str, own: Collection[str]) -> list[dict[str, str]]:
    """The string members of each recipient's object, where it has an address that is not ours."""
    listed = _RECIPIENT_LIST.search(json)
    if listed is None:
        return []
    recipients = [dict(_STRING_MEMBER.findall(found[0])) for found in _RECIPIENT_OBJECT.finditer(listed[1])]
    addresses = (values.get("emailAddress", "") for values in recipients)
    return [
        values
        for values, address in zip(recipients, addresses, strict=True)
        if "@" in address and not is_own_address(address, own)
    ]
