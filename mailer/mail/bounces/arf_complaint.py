"""Complaints: feedback reports (RFC 5965, RFC 6430), and those of providers that have forms of their own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from mailer.domain.bounce import BounceReason, DsnAction, FeedbackKind, ParsedBounce, RecipientBounce, Severity
from mailer.mail.bounces.address_extraction import find_addresses, is_daemon_address, is_own_address
from mailer.mail.bounces.report_parts import ReportParts

_MAX_LINES, _MAX_LINE_LENGTH = 500, 1000
_FIELD = re.compile(r"[ \t]{0,4}([A-Za-z][A-Za-z0-9-]{2,40})[ \t]{0,4}:[ \t]*(.*)")
_COMPLAINT_TYPES = {
    "complaint": "abuse",
    "spam": "abuse",
    "abuse": "abuse",
    "optout": "opt-out",
    "unsubscribe": "opt-out",
}
_TYPE_FIELDS = ("feedback-type", "report-type", "abuse-type", "category")
_RECIPIENT_FIELDS = ("original-rcpt-to", "removal-recipient", "original-recipient", "reported-recipient", "complainant")
_ORIGINAL_RECIPIENT_FIELDS = (
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
_JUNK_REPORT_SUBJECT = re.compile(
    r"complaint about message from|^\s*(?:spam|abuse|junk) (?:report|complaint)", re.IGNORECASE
)
_REPORTER_ADDRESSES = re.compile(r"staff@hotmail\.com|abuse|fbl|feedback|scomp|complain", re.IGNORECASE)


def parse_complaint(mail: ReportParts, own: Collection[str]) -> ParsedBounce | None:
    """The complaint that a mail is, or None."""
    subject, sender = mail.top.fields.get("subject", ""), mail.top.fields.get("from", "")
    fields = list(_parse_fields(mail.report("feedback")))
    if not fields and (_has_arf_header(mail) or (_REPORTER_ADDRESSES.search(sender) and _has_feedback_type(mail))):
        # The report lost its part's type on the way.
        fields = list(_parse_fields("\n".join(mail.texts)))
        if not any(name in _TYPE_FIELDS for name, _ in fields):
            fields = []
    if fields:
        return build_complaint(
            _feedback_type(fields), list(_reported_recipients(fields, own)) or _first_original_recipient(mail, own)
        )
    if mail.originals and _JUNK_REPORT_SUBJECT.search(subject) and _REPORTER_ADDRESSES.search(sender):
        return build_complaint("abuse", _first_original_recipient(mail, own))
    return None


def _has_feedback_type(mail: ReportParts) -> bool:
    return any("\nfeedback-type:" in f"\n{text[:4000]}".lower() for text in mail.texts)


def _has_arf_header(mail: ReportParts) -> bool:
    return "feedback-report" in mail.top.fields.get("content-type", "").lower() or "x-arf" in mail.top.fields


def _parse_fields(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n")[:_MAX_LINES]:
        if found := _FIELD.match(line[:_MAX_LINE_LENGTH]):
            yield found[1].lower(), found[2].strip()


def _feedback_type(fields: list[tuple[str, str]]) -> str:
    for name in _TYPE_FIELDS:
        for field, value in fields:
            if field == name and value:
                word = value.split()[0].strip(";\"'").lower()[:40]
                return _COMPLAINT_TYPES.get(word, word)
    return "other"


def _reported_recipients(fields: list[tuple[str, str]], own: Collection[str]) -> Iterator[str]:
    for name, value in fields:
        if name in _RECIPIENT_FIELDS:
            yield from (address for _, _, address in find_addresses(value) if not is_own_address(address, own))


def _first_original_recipient(mail: ReportParts, own: Collection[str]) -> list[str]:
    return find_original_recipients(mail, own)[:1]


def find_original_recipients(mail: ReportParts, own: Collection[str]) -> list[str]:
    """To whom the returned letter went, by its own header."""
    for original in mail.originals:
        for name in _ORIGINAL_RECIPIENT_FIELDS:
            value = original.fields.get(name, "")
            found = [address for _, _, address in find_addresses(value) if not is_own_address(address, own)]
            if found and not all(map(is_daemon_address, found)):
                return found
    return []


def build_complaint(kind: str, addresses: list[str]) -> ParsedBounce:
    """A complaint of a type, about a letter to each of the addresses."""
    known = {address.lower(): address for address in reversed(addresses)}
    return ParsedBounce(
        kind=FeedbackKind.COMPLAINT,
        complaint=kind,
        recipients=tuple(
            RecipientBounce(
                address=address,
                action=DsnAction.DELIVERED,
                status=None,
                diagnostic="",
                severity=Severity.IGNORE,
                reason=BounceReason.SPAM_COMPLAINT,
            )
            for address in reversed(known.values())
        ),
    )
