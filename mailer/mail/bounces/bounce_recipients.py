"""Of whom a mail system's notice tells, and what: from its report for machines, else from its words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from mailer.domain.bounce import DsnAction, RecipientBounce
from mailer.mail.bounces.address_extraction import find_addresses, is_own_address
from mailer.mail.bounces.arf_complaint import find_original_recipients
from mailer.mail.bounces.classify_bounce import classify_bounce
from mailer.mail.bounces.dsn_fields import DsnRecipient, has_dsn_fields, parse_dsn_recipients
from mailer.mail.bounces.flufl_detector import find_flufl_failures
from mailer.mail.bounces.free_text_notice import BounceRecipient, find_notice_recipients, strip_returned_letter
from mailer.mail.bounces.phrase_matcher import normalize_words
from mailer.mail.bounces.phrases_notice import DELAY_PHRASES, GIVEN_UP_PHRASES
from mailer.mail.bounces.report_parts import ReportParts, parse_attached_mail
from mailer.mail.bounces.smtp_reply_reason import find_certain_reason
from mailer.mail.message.mime_parser import parse_mime

_ONE, _MAX_FAILED_RECIPIENTS = 1, 100
_REPORT_TYPE = "multipart/report"
_UNPARSED_MIME = re.compile(
    r"^--\S[^\n]{0,200}\ncontent-[a-z-]{2,30}:|^this is a (?:mime-encapsulated|multi-?part) message\b",
    re.MULTILINE | re.IGNORECASE,
)
"""Parts in what should be one text: the field is lost that says how they are divided."""
_SMTP_REPLY = re.compile(r"(?<![\d.])5\d\d[ -]5\.\d{1,2}\.\d{1,3} ")


def parse_recipient_bounces(
    mail: ReportParts, subject: str, own: Collection[str], *, unwrap: bool = True
) -> tuple[RecipientBounce, ...]:
    """Each recipient once, in the order of the notice; empty where it names nobody.

    `wrapped`: where it names nobody, the letter it returns may be the notice proper, in a gateway's wrapping.
    """
    text = "\n\n".join(mail.texts)
    notice = strip_returned_letter(text)
    notice_recipients = find_notice_recipients(notice, own, _header_addresses(mail))
    if len(notice) < len(text):
        # Many put the letter's header into the text.
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
    """What a notice says that names nobody."""
    notice = strip_returned_letter("\n\n".join(mail.texts))
    each = next(iter(parse_dsn_recipients(mail.report("status"))), None)
    return classify_bounce(
        address="",
        action=(each and each.action) or (DsnAction.DELAYED if _is_delay(subject, notice) else DsnAction.FAILED),
        status=each.status if each else None,
        diagnostic=each.diagnostic if each else "",
        notice=f"{notice}\n{subject}",
        transcript=notice,
    )


def is_truncated_notice(mail: ReportParts) -> bool:
    """Whether something of the notice is lost: its end, its header, or one of the two parts of a report (RFC 6522).

    A report whose fields stand in the text, or that tells there what was said in SMTP, has both.
    """
    text, kind = "\n\n".join(mail.texts), mail.top.content_type
    notice = strip_returned_letter(text)
    if "from" not in mail.top.fields or (not kind.startswith("multipart/") and _UNPARSED_MIME.search(notice)):
        return True
    has_diagnosis = mail.report("status") or has_dsn_fields(text) or _SMTP_REPLY.search(notice)
    if kind == _REPORT_TYPE and not (text.strip() and has_diagnosis):
        return True
    # Where the letter that it returns has begun all is told.
    return mail.truncated and len(notice) >= len(text.rstrip())


def _header_addresses(mail: ReportParts) -> frozenset[str]:
    """The addresses the mail itself goes to and comes from."""
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
        # A pipe, or a host alone: the notice, or the letter itself, tells whose it was.
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
    """Recipients as they may be known without a report, the surest first."""
    yield from (address for address in _failed_recipients_in_header(mail) if not is_own_address(address, own))
    yield from (each.address for each in notice_recipients)
    yield from find_original_recipients(mail, own)


def _failed_recipients_in_header(mail: ReportParts) -> list[str]:
    """Those that Exim, Gmail and others name in the header."""
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
    # What is told before the names is told of all of them.
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
    """Where the notice names nobody we find: whom another finds, else whom the returned letter was for."""
    guesses = find_flufl_failures(mail.top.fields, "\n\n".join(mail.texts))
    found = [
        address
        for address in guesses
        if not is_own_address(address, own) and address.lower() not in _header_addresses(mail)
    ]
    return found or find_original_recipients(mail, own)[:_ONE]


def _is_delay(subject: str, notice: str) -> bool:
    """Whether the letter is still being tried, by the subject and all the notice's words."""
    words = normalize_words(f"{subject}\n{notice}")
    return any(True for _ in DELAY_PHRASES.find_all(words)) and not any(True for _ in GIVEN_UP_PHRASES.find_all(words))
