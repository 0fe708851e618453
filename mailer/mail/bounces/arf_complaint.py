"""Complaints: feedback reports (ARF: RFC 5965, RFC 6430), and junk mail reports in providers' own forms."""

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
"""Fields of a returned letter that name its recipient; the first is that of Outlook.com's junk mail reports."""
_JUNK_REPORT_SUBJECT = re.compile(
    r"complaint about message from|^\s*(?:spam|abuse|junk) (?:report|complaint)", re.IGNORECASE
)
_REPORTER_ADDRESSES = re.compile(r"staff@hotmail\.com|abuse|fbl|feedback|scomp|complain", re.IGNORECASE)


def parse_complaint(mail: ReportParts, own: Collection[str]) -> ParsedBounce | None:
    """The complaint that a mail reports, or None where it is none; `own` addresses are never its recipients."""
    subject, sender = mail.top.fields.get("subject", ""), mail.top.fields.get("from", "")
    fields = list(_parse_fields(mail.report("feedback")))
    if not fields and (_has_arf_header(mail) or (_REPORTER_ADDRESSES.search(sender) and _has_feedback_type(mail))):
        # A gateway removed the content type of the report's part.
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
    """The recipients that the returned letter's own header names; empty where there is none."""
    for original in mail.originals:
        for name in _ORIGINAL_RECIPIENT_FIELDS:
            value = original.fields.get(name, "")
            found = [address for _, _, address in find_addresses(value) if not is_own_address(address, own)]
            if found and not all(map(is_daemon_address, found)):
                return found
    return []


def build_complaint(kind: str, addresses: list[str]) -> ParsedBounce:
    """A complaint of Feedback-Type `kind` about letters to `addresses`, each address once."""
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
