"""What a mail system's refusal speaks of: why, and whom it concerns: one letter and its reader, our pace, or us."""

from __future__ import annotations

import re

from mailer.domain.bounce import BounceReason
from mailer.domain.delivery import Concern
from mailer.mail.bounces.enhanced_status_code import certain_code_reason, find_enhanced_code, probable_code_reason
from mailer.mail.bounces.phrase_rules import match_phrase_reason

_THROTTLE_CODES = frozenset({421, 450, 451, 454})
"""RFC 5321 section 4.2.3, and 454 of RFC 3207 and RFC 4954: in a while it may be different."""
_AUTHENTICATION_CODES = frozenset({530, 534, 535, 538})
"""RFC 4954 section 6: it does not know us."""
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
"""Everybody's letter would be refused alike."""
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
"""What a code for the mailbox may be made more precise by."""

ADDRESS_GONE_REASONS = frozenset(
    {BounceReason.UNKNOWN_USER, BounceReason.UNKNOWN_HOST, BounceReason.MOVED, BounceReason.DISABLED}
)
"""What ends a reader's letters for good."""

_UNAVAILABLE = "unavailable"
"""Of 550 a mailbox that is not there, of 450 one that is busy (RFC 5321 section 4.2.3)."""


def classify_refusal(code: int, text: str) -> Concern:
    """Whom a refusal concerns: `code` as in SMTP, `text` as it was said, an enhanced status code (RFC 3463) included.

    Codes outweigh words; and words about the reader outweigh those about us, so that a mailbox that is gone never
    counts as our trouble.
    """
    if code in _THROTTLE_CODES:
        return Concern.THROTTLE
    if code in _AUTHENTICATION_CODES:
        return Concern.SENDER
    return Concern.SENDER if code // 100 == 5 and find_certain_reason(text) in _SENDER_REASONS else Concern.LETTER


def find_certain_reason(text: str) -> BounceReason | None:
    """Why a letter was refused, as far as its words or a code among them say for certain; else None."""
    code = find_enhanced_code(text)
    code_reason = certain_code_reason(code) if code else None
    phrase_reason = match_phrase_reason(text)
    if code_reason is None:
        return phrase_reason
    if code_reason in _SENDER_REASONS:
        return phrase_reason if phrase_reason in _SENDER_REASONS else code_reason
    return phrase_reason if phrase_reason in _MAILBOX_REASONS else code_reason


def find_reason(text: str, status: str | None = None) -> BounceReason:
    """Why a letter was refused: by the words of a reply, a code among them, or else the `status` beside it.

    Where a code says that nobody is there, and words say something else, the words count: many mail systems have one
    code for whatever they refuse, and what is said beside it was written for somebody to read.
    """
    reason = find_certain_reason(text)
    if (
        reason in ADDRESS_GONE_REASONS
        and not _is_exchange_unknown_user(text)
        and (phrase_reason := match_phrase_reason(text))
    ):
        reason = phrase_reason
    if reason:
        busy = reason is BounceReason.UNKNOWN_USER and _UNAVAILABLE in text.lower() and is_temporary(text, status)
        return BounceReason.SYSTEM_TROUBLE if busy else reason
    for code in (status, find_enhanced_code(text)):
        if code and (code_reason := probable_code_reason(code)):
            return code_reason
    return BounceReason.UNCLEAR


def _is_exchange_unknown_user(text: str) -> bool:
    """Whether it is how Exchange says that its directory has nobody of this name."""
    return find_enhanced_code(text) == "5.4.1" and "access denied" in text.lower()


def is_temporary(text: str, status: str | None = None) -> bool:
    """Whether the codes of a reply, or else the `status` beside it, are of class 4."""
    if code := find_enhanced_code(text):
        return code.startswith("4")
    if reply := _SMTP_REPLY_CODE.search(text[:_MAX_CODE_CHARACTERS]):
        return reply[1] == "4"
    return status is not None and status.startswith("4")
