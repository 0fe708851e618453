"""The reason in an SMTP reply's text and codes, and whom a refusal concerns: the letter, the sender or the rate."""

from __future__ import annotations

import re

from mailer.domain.bounce import HARD_REASONS, BounceReason
from mailer.domain.delivery import Concern
from mailer.mail.bounces.bounce_phrases import match_phrase_reason
from mailer.mail.bounces.enhanced_status_code import certain_code_reason, find_enhanced_code, probable_code_reason

_THROTTLE_CODES = frozenset({421, 450, 451, 454})
"""RFC 5321 section 4.2.3, and 454 of RFC 3207 and RFC 4954: the same may be accepted later."""
_AUTHENTICATION_CODES = frozenset({530, 534, 535, 538})
"""RFC 4954 section 6: we are not logged in."""
_SMTP_REPLY_CODE = re.compile(r"(?<![\d.])([45])[0-5]\d(?=[ \-:#]|$)")
_MAX_CODE_CHARACTERS = 2000

_SENDER_REASONS = frozenset(
    {
        BounceReason.SENDER,
        BounceReason.RELAY_DENIED,
        BounceReason.AUTHENTICATION,
        BounceReason.BLOCKED,
        BounceReason.RATE,
        BounceReason.POLICY,
    }
)
"""Any letter of ours would be refused, whoever its recipient is."""
_MAILBOX_REASONS = frozenset(
    {
        BounceReason.UNKNOWN_USER,
        BounceReason.MOVED,
        BounceReason.DISABLED,
        BounceReason.SUSPENDED,
        BounceReason.FULL,
        BounceReason.TOO_LARGE,
        BounceReason.RESTRICTED,
        BounceReason.CONTENT,
    }
)
"""A phrase's reason of these is more precise than the code for a mailbox beside it."""

_UNAVAILABLE = "unavailable"
"""With 550 the mailbox does not exist, with 450 it is busy (RFC 5321 section 4.2.3)."""


def classify_refusal(code: int, text: str) -> Concern:
    """Whom a refusal concerns: `code` is the reply's, `text` its text with an enhanced status code (RFC 3463) if any.

    A throttling or authentication code decides. With any other 5xx the text decides; recipient phrases win over
    sender phrases, so that a mailbox that is gone never counts as our trouble.
    """
    if code in _THROTTLE_CODES:
        return Concern.THROTTLE
    if code in _AUTHENTICATION_CODES:
        return Concern.SENDER
    return Concern.SENDER if code // 100 == 5 and find_certain_reason(text) in _SENDER_REASONS else Concern.LETTER


def find_certain_reason(text: str) -> BounceReason | None:
    """The reason that a phrase or an unambiguous enhanced code in `text` gives; None where there is neither."""
    code = find_enhanced_code(text)
    code_reason = certain_code_reason(code) if code else None
    phrase_reason = match_phrase_reason(text)
    if code_reason is None:
        return phrase_reason
    if code_reason in _SENDER_REASONS:
        return phrase_reason if phrase_reason in _SENDER_REASONS else code_reason
    return phrase_reason if phrase_reason in _MAILBOX_REASONS else code_reason


def find_reason(text: str, status: str | None = None) -> BounceReason:
    """The reason for a refusal: from the reply's phrases and code, or else from the `status` field beside it.

    Where the code says that the address is gone and a phrase says otherwise, the phrase decides: many mail systems use
    one code for every refusal.
    """
    reason = find_certain_reason(text)
    if reason in HARD_REASONS and not _is_exchange_unknown_user(text) and (phrase_reason := match_phrase_reason(text)):
        reason = phrase_reason
    if reason:
        busy = reason is BounceReason.UNKNOWN_USER and _UNAVAILABLE in text.lower() and is_temporary(text, status)
        return BounceReason.SYSTEM_TROUBLE if busy else reason
    for code in (status, find_enhanced_code(text)):
        if code and (code_reason := probable_code_reason(code)):
            return code_reason
    return BounceReason.UNCLEAR


def _is_exchange_unknown_user(text: str) -> bool:
    """Whether this is Exchange's reply for an address that its directory does not have."""
    return find_enhanced_code(text) == "5.4.1" and "access denied" in text.lower()


def is_temporary(text: str, status: str | None = None) -> bool:
    """Whether the codes in a reply, or else the `status` field beside it, are of class 4."""
    if code := find_enhanced_code(text):
        return code.startswith("4")
    if reply := _SMTP_REPLY_CODE.search(text[:_MAX_CODE_CHARACTERS]):
        return reply[1] == "4"
    return status is not None and status.startswith("4")
