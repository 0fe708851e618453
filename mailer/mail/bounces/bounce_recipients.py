"""The recipients of a bounce notice, each classified: from its delivery status report, else from its text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from mailer.domain.bounce import DsnAction, RecipientBounce
from mailer.mail.bounces.address_extraction import find_addresses, is_own_address
from mailer.mail.bounces.arf_complaint import find_original_recipients
from mailer.mail.bounces.bounce_phrases import load_bounce_phrases
from mailer.mail.bounces.classify_bounce import classify_bounce
from mailer.mail.bounces.dsn_fields import DsnRecipient, has_dsn_fields, parse_dsn_recipients
from mailer.mail.bounces.flufl_detector import find_flufl_failures
from mailer.mail.bounces.free_text_notice import BounceRecipient, find_notice_recipients, strip_returned_letter
from mailer.mail.bounces.report_parts import ReportParts, parse_attached_mail
from mailer.mail.bounces.smtp_reply_reason import find_certain_reason
from mailer.mail.message.mime_parser import parse_mime

_ONE, _MAX_FAILED_RECIPIENTS = 1, 100
_REPORT_TYPE = "multipart/report"
_UNPARSED_MIME = re.compile(
    r"^--\S[^\n]{0,200}\ncontent-[a-z-]{2,30}:|^this is a (?:mime-encapsulated|multi-?part) message\b",
    re.MULTILINE | re.IGNORECASE,
)
"""Parts of a multipart mail within one text: the Content-Type field with their boundary is lost."""
_SMTP_REPLY = re.compile(r"(?<![\d.])5\d\d[ -]5\.\d{1,2}\.\d{1,3} ")


def parse_recipient_bounces(
    mail: ReportParts, subject: str, own: Collection[str], *, unwrap: bool = True
) -> tuple[RecipientBounce, ...]:
    """Each recipient of a bounce notice once, in its order; empty where it names none.

    `own` addresses are never recipients. `unwrap`: where the notice names no recipient, a report attached to it is
    read in its place, as some gateways wrap the notice that they received.
    """
    text = "\n\n".join(mail.texts)
    notice = strip_returned_letter(text)
    notice_recipients = find_notice_recipients(notice, own, _header_addresses(mail))
    if len(notice) < len(text):
        # Many mail systems put the returned letter's header into the text.
        mail.originals.append(parse_mime(text[len(notice) :].lstrip("\n").partition("\n")[2].lstrip().encode()))
    if fields := _find_dsn_recipients(mail, text, own):
        return _classify_dsn_recipients(mail, fields, notice_recipients, subject, notice, own)
    if (
        unwrap
        and not notice_recipients
        and (inner := next((each for each in mail.originals if each.content_type == _REPORT_TYPE), None))
    ):
        return parse_recipient_bounces(parse_attached_mail(inner), subject, own, unwrap=False)
    return _classify_free_text(mail, notice_recipients, subject, notice, own)


def parse_unnamed_bounce(mail: ReportParts, subject: str) -> RecipientBounce:
    """The classification of a notice that names no recipient; its address is empty."""
    notice = strip_returned_letter("\n\n".join(mail.texts))
    first = next(iter(parse_dsn_recipients(mail.report("status"))), None)
    return classify_bounce(
        address="",
        action=(first and first.action) or (DsnAction.DELAYED if _is_delay(subject, notice) else DsnAction.FAILED),
        status=first.status if first else None,
        diagnostic=first.diagnostic if first else "",
        notice=f"{notice}\n{subject}",
        transcript=notice,
    )


def is_truncated_notice(mail: ReportParts) -> bool:
    """Whether a part of the notice is missing: its end, its header, or one of the two parts of a report (RFC 6522).

    A report whose text holds the report's fields, or an SMTP reply, counts as complete.
    """
    text, kind = "\n\n".join(mail.texts), mail.top.content_type
    notice = strip_returned_letter(text)
    if "from" not in mail.top.fields or (not kind.startswith("multipart/") and _UNPARSED_MIME.search(notice)):
        return True
    has_diagnosis = mail.report("status") or has_dsn_fields(text) or _SMTP_REPLY.search(notice)
    if kind == _REPORT_TYPE and not (text.strip() and has_diagnosis):
        return True
    # The notice is complete where the returned letter has begun.
    return mail.truncated and len(notice) >= len(text.rstrip())


def _header_addresses(mail: ReportParts) -> frozenset[str]:
    """The addresses in the mail's own To, From, Reply-To and Return-Path."""
    found = (find_addresses(mail.top.fields.get(name, "")) for name in ("to", "from", "reply-to", "return-path"))
    return frozenset(address.lower() for each in found for _, _, address in each)


def _find_dsn_recipients(mail: ReportParts, text: str, own: Collection[str]) -> list[DsnRecipient]:
    report = mail.report("status")
    letter_to = frozenset(address.lower() for address in find_original_recipients(mail, own))
    fields = parse_dsn_recipients(report, letter_to) if report else []
    if not fields and has_dsn_fields(text):
        fields = parse_dsn_recipients(text, letter_to)
    return [each for each in fields if not (each.address and is_own_address(each.address, own))]


def _classify_dsn_recipients(
    mail: ReportParts,
    fields: list[DsnRecipient],
    notice_recipients: list[BounceRecipient],
    subject: str,
    notice: str,
    own: Collection[str],
) -> tuple[RecipientBounce, ...]:
    texts = {each.address.lower(): each.diagnostic for each in notice_recipients}
    candidates = list(_candidate_recipients(mail, notice_recipients, own))
    bounces: dict[str, RecipientBounce] = {}
    for each in fields:
        # Where a pipe or a host stands for the address, the notice or the returned letter names the recipient.
        address = each.address or (candidates[0] if len(fields) == _ONE and candidates else None)
        if address is None:
            continue
        is_delay = _is_delay(subject, notice)
        action = each.action or (DsnAction.DELAYED if is_delay else DsnAction.FAILED)
        only_notice = notice if len(fields) == _ONE else ""
        recipient_text = texts.get(address.lower(), only_notice)
        bounce = classify_bounce(
            address=address,
            action=action,
            status=each.status,
            diagnostic=each.diagnostic,
            notice=recipient_text,
            transcript=f"{each.comment}\n{only_notice}",
        )
        bounces.setdefault(address.lower(), bounce)
    return tuple(bounces.values())


def _candidate_recipients(
    mail: ReportParts, notice_recipients: list[BounceRecipient], own: Collection[str]
) -> Iterator[str]:
    """Recipients named outside the report, the most reliable source first."""
    yield from (address for address in _failed_recipients_in_header(mail) if not is_own_address(address, own))
    yield from (each.address for each in notice_recipients)
    yield from find_original_recipients(mail, own)


def _failed_recipients_in_header(mail: ReportParts) -> list[str]:
    """The recipients in X-Failed-Recipients, which Exim, Gmail and others write."""
    named = mail.top.fields.get("x-failed-recipients", "")
    return [address for _, _, address in find_addresses(named, _MAX_FAILED_RECIPIENTS)]


def _classify_free_text(
    mail: ReportParts, notice_recipients: list[BounceRecipient], subject: str, notice: str, own: Collection[str]
) -> tuple[RecipientBounce, ...]:
    action = DsnAction.DELAYED if _is_delay(subject, notice) else DsnAction.FAILED
    if failed := _failed_recipients_in_header(mail):
        texts = {each.address.lower(): each.diagnostic for each in notice_recipients}
        notice_recipients = [
            BounceRecipient(address=each, diagnostic=texts.get(each.lower(), notice)) for each in dict.fromkeys(failed)
        ]
    elif not notice_recipients:
        notice_recipients = [
            BounceRecipient(address=each, diagnostic=notice) for each in _guess_recipients(mail, notice, own)
        ]
    # What stands before the first recipient is about all of them.
    shared = len(notice_recipients) == _ONE or all(
        find_certain_reason(each.diagnostic) is None for each in notice_recipients
    )
    return tuple(
        classify_bounce(
            address=each.address,
            action=action,
            status=None,
            diagnostic=each.diagnostic,
            notice=f"{notice}\n{subject}" if shared else "",
            transcript=notice if len(notice_recipients) == _ONE else "",
        )
        for each in notice_recipients
        if not is_own_address(each.address, own)
    )


def _guess_recipients(mail: ReportParts, notice: str, own: Collection[str]) -> list[str]:
    """Recipients of a notice in which we find none: those that flufl.bounce finds, else the returned letter's first."""
    guesses = find_flufl_failures(mail.top.fields, "\n\n".join(mail.texts))
    found = [
        address
        for address in guesses
        if not is_own_address(address, own) and address.lower() not in _header_addresses(mail)
    ]
    return found or find_original_recipients(mail, own)[:_ONE]


def _is_delay(subject: str, notice: str) -> bool:
    """Whether subject and notice say that the letter is still being tried, and nowhere that it was given up."""
    phrases, text = load_bounce_phrases(), f"{subject}\n{notice}"
    return phrases.delays.occurs_in(text) and not phrases.given_up.occurs_in(text)
