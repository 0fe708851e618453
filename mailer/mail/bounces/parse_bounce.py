"""Parsing a mail to a feedback address: a bounce, a delay, a complaint, a receipt, an auto-reply, or none of these."""

from __future__ import annotations

import re
from collections.abc import Collection

from mailer.domain.bounce import (
    BounceReason,
    DsnAction,
    FeedbackKind,
    ParsedBounce,
    RecipientBounce,
    Severity,
    soften_hard_bounce,
)
from mailer.mail.bounces.address_extraction import find_last_address, is_own_address
from mailer.mail.bounces.amazon_email import parse_ses_email
from mailer.mail.bounces.arf_complaint import parse_complaint
from mailer.mail.bounces.bounce_recipients import is_truncated_notice, parse_recipient_bounces, parse_unnamed_bounce
from mailer.mail.bounces.detect_notice import is_bounce_notice
from mailer.mail.bounces.dsn_fields import parse_dsn_recipients
from mailer.mail.bounces.report_parts import ReportParts, parse_attached_mail, parse_report_parts
from mailer.mail.message.auto_generated import find_automatic_mark, is_auto_reply_subject
from mailer.mail.message.mime_parser import Part
from mailer.mail.message.normalize_text import normalize_text
from mailer.mail.message.reply_text import extract_reply_text
from mailer.mail.message.text_decoding import decode_encoded_words

_FEWEST_PERSONAL_WORDS = 3
"""A forwarded bounce with fewer words of the forwarder's own counts as the bounce itself."""
_AUTO_REPLY_SUBJECTS = re.compile(
    r"\s*(?:(?:re|aw|sv): ?)?(?:auto(?:matic|mated|matisch\w*)?[ -]?(?:e-?mail )?"
    r"(?:reply|response|answer|antwort|svar|responder|generated)|out[ -]of[ -](?:the[ -])?office|ooo\b|vacation"
    r"|(?:i am |i'm )?(?:away|absent|on (?:leave|holiday|vacation))\b|abwesen|urlaub|nicht im buro|ausser haus"
    r"|reponse auto|message d'absence|absence|absent|respuesta auto|fuera de|ausente|resposta auto|risposta auto"
    r"|fuori (?:ufficio|sede)|assente|afwezig|automatisch antwoord|franvar|fravaer|autosvar|automatiskt? svar|autoreply"
    r"|otomatik (?:yanit|cevap)|ofis disinda|автоответ|автоматическ|autoodpowied|odpowiedz automatyczna"
    r"|automaticka odpoved|poissa|自動応答|自動返信|自动回复|自動回覆)",
)
_AUTO_REPLY_FIELDS = frozenset(
    {"x-autoreply", "x-autorespond", "x-autoresponder", "x-mail-autoreply", "x-vacation", "x-autoreply-from"}
)


def parse_bounce(raw: bytes, own: Collection[str] = ()) -> ParsedBounce:
    """The bounce, delay, complaint, receipt or auto-reply that a mail is; never fails.

    `own` are our addresses, and domains all of whose addresses are ours: they are never recipients. A person's mail is
    of kind NONE, even where it quotes a bounce or has one attached.
    """
    return parse_bounce_parts(parse_report_parts(raw), own)


def parse_bounce_parts(mail: ReportParts, own: Collection[str] = ()) -> ParsedBounce:
    """The same as `parse_bounce`, for a mail whose parts are known."""
    own_names = frozenset(name.strip().lower() for name in own)
    return (
        _parse_parts(mail, own_names)
        or _parse_forwarded_bounce(mail, own_names)
        or ParsedBounce(kind=FeedbackKind.NONE)
    )


def _parse_parts(mail: ReportParts, own: frozenset[str]) -> ParsedBounce | None:
    if complaint := parse_complaint(mail, own):
        return complaint
    if notification := parse_ses_email(mail.texts[0], own) if mail.texts else None:
        return notification
    subject = decode_encoded_words(mail.top.fields.get("subject", ""))
    if (disposition := mail.report("disposition")) and not _is_rejection(mail):
        return _parse_receipt(disposition, own)
    if is_bounce_notice(mail, subject):
        recipients = parse_recipient_bounces(mail, subject, own)
        unnamed_bounce = None if recipients else parse_unnamed_bounce(mail, subject)
        actions = {each.action for each in (*recipients, unnamed_bounce) if each}
        if is_truncated_notice(mail):
            recipients, unnamed_bounce = (
                tuple(map(soften_hard_bounce, recipients)),
                unnamed_bounce and soften_hard_bounce(unnamed_bounce),
            )
        return ParsedBounce(kind=_feedback_kind(actions), recipients=recipients, unnamed=unnamed_bounce)
    return _parse_auto_reply(mail, subject, own)


def _is_rejection(mail: ReportParts) -> bool:
    # Dovecot and Sieve filters (RFC 5429) refuse with a disposition notification.
    return "reject" in mail.top.fields.get("auto-submitted", "") or any(" rejected" in text for text in mail.texts)


def _feedback_kind(actions: Collection[DsnAction]) -> FeedbackKind:
    if DsnAction.FAILED in actions:
        return FeedbackKind.BOUNCE
    return FeedbackKind.DELAY if DsnAction.DELAYED in actions else FeedbackKind.RECEIPT


def _parse_forwarded_bounce(mail: ReportParts, own: frozenset[str]) -> ParsedBounce | None:
    """A bounce that a program or a person forwarded as an attachment without text of their own."""
    if len(mail.originals) != 1 or len(extract_reply_text(mail.top).text.split()) >= _FEWEST_PERSONAL_WORDS:
        return None
    inner = parse_attached_mail(mail.originals[0])
    return _parse_parts(inner, own) if inner.reports else None


def _parse_receipt(report: str, own: frozenset[str]) -> ParsedBounce:
    """A receipt: the mail was displayed, or deleted unread (RFC 8098)."""
    addresses = [
        each.address for each in parse_dsn_recipients(report) if each.address and not is_own_address(each.address, own)
    ]
    return ParsedBounce(
        kind=FeedbackKind.RECEIPT,
        recipients=tuple(_ignored_recipient(address, BounceReason.RECEIPT) for address in addresses),
    )


def _parse_auto_reply(mail: ReportParts, subject: str, own: frozenset[str]) -> ParsedBounce | None:
    if not _is_auto_reply(mail.top, subject):
        return None
    sender = find_last_address(mail.top.fields.get("from", ""))
    recipients = (
        (_ignored_recipient(sender, BounceReason.VACATION),) if sender and not is_own_address(sender, own) else ()
    )
    return ParsedBounce(kind=FeedbackKind.AUTO_REPLY, recipients=recipients)


def _ignored_recipient(address: str, reason: BounceReason) -> RecipientBounce:
    return RecipientBounce(
        address=address,
        action=DsnAction.DELIVERED,
        status=None,
        diagnostic="",
        severity=Severity.IGNORE,
        reason=reason,
    )


def _is_auto_reply(mail: Part, subject: str) -> bool:
    """Whether a program wrote this mail in reply to a letter (RFC 3834), as vacation programs do."""
    reason = find_automatic_mark(mail, "unknown")
    if (
        _AUTO_REPLY_FIELDS & mail.fields.keys()
        or _AUTO_REPLY_SUBJECTS.match(normalize_text(subject[:200]))
        or is_auto_reply_subject(subject)
    ):
        return True
    if reason in {"Auto-Submitted: auto-replied", "Precedence: auto_reply"}:
        return True
    is_reply = "in-reply-to" in mail.fields or "references" in mail.fields
    return (
        is_reply
        and reason is not None
        and reason.startswith(("Auto-Submitted", "Precedence: bulk", "Precedence: junk"))
    )
