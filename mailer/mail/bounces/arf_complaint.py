"""Complaints: feedback reports (RFC 5965, RFC 6430), and those of providers that have forms of their own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from mailer.domain.bounce import Action, Reason, Returned, ReturnedFor, ReturnKind, Weight
from mailer.mail.bounces.address_extraction import addresses_in, is_daemon, is_own
from mailer.mail.bounces.report_parts import SortedParts

_MOST_LINES, _LONGEST_LINE = 500, 1000
_FIELD = re.compile(r"[ \t]{0,4}([A-Za-z][A-Za-z0-9-]{2,40})[ \t]{0,4}:[ \t]*(.*)")
_TYPES = {"complaint": "abuse", "spam": "abuse", "abuse": "abuse", "optout": "opt-out", "unsubscribe": "opt-out"}
_TYPE_FIELDS = ("feedback-type", "report-type", "abuse-type", "category")
_OF_RECIPIENT = ("original-rcpt-to", "removal-recipient", "original-recipient", "reported-recipient", "complainant")
_IN_ORIGINAL = (
    "x-hmxmroriginalrecipient",
    "x-apparently-to",
    "x-original-to",
    "x-envelope-to",
    "envelope-to",
    "delivered-to",
    "x-rcpt-to",
    "to",
)
"""Where a returned letter says to whom it went; the first is that of Outlook.com's programme."""
_JUNK_REPORT = re.compile(r"complaint about message from|^\s*(?:spam|abuse|junk) (?:report|complaint)", re.IGNORECASE)
_REPORTERS = re.compile(r"staff@hotmail\.com|abuse|fbl|feedback|scomp|complain", re.IGNORECASE)


def complaint_in(mail: SortedParts, own: Collection[str]) -> Returned | None:
    """The complaint that a mail is, or None."""
    subject, sender = mail.top.fields.get("subject", ""), mail.top.fields.get("from", "")
    fields = list(_fields(mail.report("feedback")))
    if not fields and (_is_marked(mail) or (_REPORTERS.search(sender) and _tells_type(mail))):
        # The report lost its part's type on the way.
        fields = list(_fields("\n".join(mail.texts)))
        if not any(name in _TYPE_FIELDS for name, _ in fields):
            fields = []
    if fields:
        return complaint_for(_type(fields), list(_recipients(fields, own)) or _from_original(mail, own))
    if mail.originals and _JUNK_REPORT.search(subject) and _REPORTERS.search(sender):
        return complaint_for("abuse", _from_original(mail, own))
    return None


def _tells_type(mail: SortedParts) -> bool:
    return any("\nfeedback-type:" in f"\n{text[:4000]}".lower() for text in mail.texts)


def _is_marked(mail: SortedParts) -> bool:
    return "feedback-report" in mail.top.fields.get("content-type", "").lower() or "x-arf" in mail.top.fields


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n")[:_MOST_LINES]:
        if found := _FIELD.match(line[:_LONGEST_LINE]):
            yield found[1].lower(), found[2].strip()


def _type(fields: list[tuple[str, str]]) -> str:
    for name in _TYPE_FIELDS:
        for said, value in fields:
            if said == name and value:
                word = value.split()[0].strip(";\"'").lower()[:40]
                return _TYPES.get(word, word)
    return "other"


def _recipients(fields: list[tuple[str, str]], own: Collection[str]) -> Iterator[str]:
    for name, value in fields:
        if name in _OF_RECIPIENT:
            yield from (address for _, _, address in addresses_in(value) if not is_own(address, own))


def _from_original(mail: SortedParts, own: Collection[str]) -> list[str]:
    return recipients_of_original(mail, own)[:1]


def recipients_of_original(mail: SortedParts, own: Collection[str]) -> list[str]:
    """To whom the returned letter went, by its own header."""
    for original in mail.originals:
        for name in _IN_ORIGINAL:
            value = original.fields.get(name, "")
            found = [address for _, _, address in addresses_in(value) if not is_own(address, own)]
            if found and not all(map(is_daemon, found)):
                return found
    return []


def complaint_for(kind: str, addresses: list[str]) -> Returned:
    """A complaint of a type, about a letter to each of the addresses."""
    known = {address.lower(): address for address in reversed(addresses)}
    return Returned(
        kind=ReturnKind.COMPLAINT,
        complaint=kind,
        recipients=tuple(
            ReturnedFor(
                address=address,
                action=Action.DELIVERED,
                status=None,
                diagnostic="",
                weight=Weight.IGNORE,
                reason=Reason.SPAM_COMPLAINT,
            )
            for address in reversed(known.values())
        ),
    )
