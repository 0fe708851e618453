"""Classifying a bounce of one recipient: its text and codes become a reason and a severity (hard, soft ...)."""

from __future__ import annotations

import re

from mailer.domain.bounce import HARD_REASONS, BounceReason, DsnAction, RecipientBounce, determine_severity
from mailer.mail.bounces.bounce_phrases import match_phrase_reason
from mailer.mail.bounces.enhanced_status_code import find_enhanced_code
from mailer.mail.bounces.smtp_reply_reason import find_certain_reason, find_reason, is_temporary

_MAX_DIAGNOSTIC_LENGTH, _MAX_NOTICE_CHARACTERS = 1000, 4000
_UNPRINTABLE = re.compile("[\x00-\x20\x7f-\xa0\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_AFTER_DATA = re.compile(
    r"in reply to (?:end of )?data|after (?:end of )?data\b|failed after i sent the message"
    r"|after sending (?:the )?message|end of message|>>> (?:data|\.)\s{0,20}<<< ?[45]",
    re.IGNORECASE,
)
_REFUSED_BEFORE_DATA = re.compile(
    r"<<< ?5\d\d.{0,40}(?:need rcpt|no valid recip|no recipients|valid rcpt|rcpt first|rcpt commands were)",
    re.IGNORECASE,
)
"""With pipelining (RFC 2920) the reply that refuses a recipient may be shown under DATA."""
_YAHOO_USER_LOOKUP = "delivery error: dd"
"""Yahoo looks up its users after DATA."""

_BEFORE_RECIPIENT = re.compile(
    r"in reply to (?:mail from|helo|ehlo)|after (?:sending )?(?:mail from|helo|ehlo)\b"
    r"|>>> (?:mail from|helo|ehlo)[^<>]{0,20}(?:<[^<>]{0,320}>)?[^<>]{0,40}<<< ?5",
    re.IGNORECASE,
)
"""The reply came before any recipient was named: it is about the sender."""
_IRONPORT_HEADING = re.compile(r"^\W{0,3}\d\.\d\.\d - [\w ]{3,40}? (?=\d{3}-['\"])")
"""A heading that Cisco IronPort puts before another system's reply."""
_RECIPIENT_REASONS = frozenset(
    {
        BounceReason.UNKNOWN_USER,
        BounceReason.UNKNOWN_HOST,
        BounceReason.DISABLED,
        BounceReason.MOVED,
        BounceReason.SUSPENDED,
        BounceReason.UNCLEAR,
    }
)
_MILDER_REASONS = frozenset({BounceReason.FULL, BounceReason.SUSPENDED, BounceReason.RESTRICTED})
_UNCERTAIN_WORDS = re.compile(r"\b(?:may|might|possibl[ye]|perhaps|could be|either|or)\b", re.IGNORECASE)


def classify_bounce(
    *, address: str, action: DsnAction, status: str | None, diagnostic: str, notice: str = "", transcript: str = ""
) -> RecipientBounce:
    """The bounce of one recipient with its reason, status and severity.

    `diagnostic` is the refusing system's reply, `status` the report's Status field. `notice` is the notice's text about
    this recipient, which decides where the diagnostic gives no reason. `transcript` is the whole SMTP exchange or
    notice where it is about no other recipient.
    """
    notice = notice[:_MAX_NOTICE_CHARACTERS]
    diagnostic = _IRONPORT_HEADING.sub("", diagnostic)
    reason = _choose_reason(diagnostic, status, notice, transcript)
    temporary = is_temporary(diagnostic, status)
    code = find_enhanced_code(diagnostic) or status or find_enhanced_code(notice)
    if status and code and code.endswith(".0.0"):
        code = status
    # Sendmail derives x.2.0 for a reply without an enhanced code to the end of DATA.
    after_data = any(map(_is_after_data, (diagnostic, notice, transcript[:_MAX_NOTICE_CHARACTERS]))) or (
        status == "5.2.0" and find_enhanced_code(diagnostic) is None
    )
    if action in {DsnAction.DELIVERED, DsnAction.RELAYED, DsnAction.EXPANDED}:
        reason = BounceReason.RECEIPT
    return RecipientBounce(
        address=address,
        action=action,
        status=code,
        diagnostic=_UNPRINTABLE.sub(" ", diagnostic or notice).strip()[:_MAX_DIAGNOSTIC_LENGTH],
        severity=determine_severity(reason, action, temporary=temporary, after_data=after_data),
        reason=reason,
    )


def _is_after_data(text: str) -> bool:
    if _YAHOO_USER_LOOKUP in text:
        return False
    return _AFTER_DATA.search(text) is not None and _REFUSED_BEFORE_DATA.search(text) is None


def _choose_reason(diagnostic: str, status: str | None, notice: str, transcript: str) -> BounceReason:
    reason = find_reason(diagnostic, status)
    only_code = reason in HARD_REASONS and match_phrase_reason(diagnostic) is None
    if (only_code or find_certain_reason(diagnostic) is None) and notice:
        reason = match_phrase_reason(notice) or reason
    if reason is BounceReason.UNCLEAR and notice:
        reason = find_reason(notice, status)
    if reason is BounceReason.UNKNOWN_USER and (milder := match_phrase_reason(transcript)) in _MILDER_REASONS:
        # The text that postmasters write is more precise than the report's code.
        reason = milder if not _UNCERTAIN_WORDS.search(transcript) else reason
    texts = (diagnostic, notice, transcript[:_MAX_NOTICE_CHARACTERS])
    if reason in _RECIPIENT_REASONS and any(map(_BEFORE_RECIPIENT.search, texts)):
        return BounceReason.SENDER
    return reason
