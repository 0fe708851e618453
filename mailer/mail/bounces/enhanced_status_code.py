"""Enhanced status codes (RFC 3463 and its IANA registry): finding them in a text, and the reasons they stand for."""

from __future__ import annotations

import re

from mailer.domain.bounce import BounceReason

_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,2})\.(\d{1,3})(?!\d|\.\d)")
_MAX_CHARACTERS = 2000

_CERTAIN_REASONS = {
    "1.1": BounceReason.UNKNOWN_USER,
    "1.2": BounceReason.UNKNOWN_HOST,
    "1.3": BounceReason.UNKNOWN_USER,
    "1.4": BounceReason.UNKNOWN_USER,
    "1.6": BounceReason.MOVED,
    "1.7": BounceReason.SENDER,
    "1.8": BounceReason.SENDER,
    "1.10": BounceReason.UNKNOWN_HOST,
    "2.1": BounceReason.SUSPENDED,
    "2.2": BounceReason.FULL,
    "2.3": BounceReason.TOO_LARGE,
    "2.4": BounceReason.RESTRICTED,
    "3.4": BounceReason.TOO_LARGE,
    "4.7": BounceReason.EXPIRED,
    "7.2": BounceReason.RESTRICTED,
    "7.8": BounceReason.AUTHENTICATION,
    "7.9": BounceReason.AUTHENTICATION,
    "7.13": BounceReason.SUSPENDED,
    "7.17": BounceReason.MOVED,
    "7.18": BounceReason.MOVED,
    "7.19": BounceReason.RESTRICTED,
    "7.28": BounceReason.RATE,
    "7.54": BounceReason.RELAY_DENIED,
}
"""By subject and detail: codes that mean the same in every mail system. 7.17 and 7.18: the mailbox has another owner
(RFC 7293). Exchange uses 7.54 for relaying."""
_PROBABLE_REASONS = {
    "1.0": BounceReason.UNCLEAR,
    "1.9": BounceReason.SENDER,
    "2.0": BounceReason.UNCLEAR,
    "3.0": BounceReason.SYSTEM_TROUBLE,
    "3.1": BounceReason.FULL,
    "3.2": BounceReason.SYSTEM_TROUBLE,
    "3.3": BounceReason.SYSTEM_TROUBLE,
    "3.5": BounceReason.SYSTEM_TROUBLE,
    "4.0": BounceReason.UNREACHABLE,
    "4.1": BounceReason.UNREACHABLE,
    "4.2": BounceReason.UNREACHABLE,
    "4.3": BounceReason.UNREACHABLE,
    "4.4": BounceReason.UNKNOWN_HOST,
    "4.5": BounceReason.RATE,
    "4.6": BounceReason.UNREACHABLE,
}
"""Codes that mail systems use for many things: phrases beside them win. 4.4 is a domain without a mail host."""
_REASON_BY_SUBJECT = {"5": BounceReason.SYSTEM_TROUBLE, "6": BounceReason.CONTENT, "7": BounceReason.POLICY}


def find_enhanced_code(text: str) -> str | None:
    """The first code of class 4 or 5 in a text, such as `5.1.1`; None where there is none. Reads 2000 characters."""
    codes = [found[0] for found in _CODE.finditer(text[:_MAX_CHARACTERS]) if found[1] != "2"]
    # Many mail systems put x.0.0 before the code of the system that refused.
    return next((code for code in codes if not code.endswith(".0.0")), codes[0] if codes else None)


def certain_code_reason(code: str) -> BounceReason | None:
    """The reason that a code states unambiguously; None where phrases beside it win."""
    kind, detail = code.split(".", 1)
    subject, _, number = detail.partition(".")
    if kind == "5" and detail == "4.1":
        # Exchange; elsewhere x.4.1 is "no answer from host", which is of class 4.
        return BounceReason.UNKNOWN_USER
    if subject == "7" and len(number) == 3:
        # Exchange: restricted groups and mailboxes; banned senders.
        return (
            BounceReason.RESTRICTED if number.startswith("1") else BounceReason.BLOCKED if number[0] in "567" else None
        )
    if subject == "7" and number.startswith("2") and len(number) == 2:
        # RFC 7372, RFC 7505 and ARC; 7.28 is a mail flood.
        return _CERTAIN_REASONS.get(detail, BounceReason.AUTHENTICATION)
    return _CERTAIN_REASONS.get(detail)


def probable_code_reason(code: str) -> BounceReason | None:
    """The reason that a code suggests where no phrase matches; None for x.0.0 and unknown codes."""
    detail = code.split(".", 1)[1]
    return (
        certain_code_reason(code) or _PROBABLE_REASONS.get(detail) or _REASON_BY_SUBJECT.get(detail.partition(".")[0])
    )
