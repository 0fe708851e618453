"""What a mail system's refusal speaks of: why, and whom it concerns: one letter and its reader, our pace, or us."""

from __future__ import annotations

import re

from mailer.domain.bounce import Reason
from mailer.domain.delivery import Concern
from mailer.mail.bounces.enhanced_status_code import code_in, plain_reason, vague_reason
from mailer.mail.bounces.phrase_rules import reason_of_words

_PACE = frozenset({421, 450, 451, 454})
"""RFC 5321 section 4.2.3, and 454 of RFC 3207 and RFC 4954: in a while it may be different."""
_LOGIN = frozenset({530, 534, 535, 538})
"""RFC 4954 section 6: it does not know us."""
_REPLY = re.compile(r"(?<![\d.])([45])[0-5]\d(?=[ \-:#]|$)")
_CODE_MOST_READ = 2000

_US = frozenset(
    {
        Reason.SENDER,
        Reason.RELAY_DENIED,
        Reason.AUTHENTICATION,
        Reason.BLOCKED,
        Reason.RATE,
        Reason.POLICY,
    }
)
"""Everybody's letter would be refused alike."""
_OF_MAILBOX = frozenset(
    {
        Reason.UNKNOWN_USER,
        Reason.MOVED,
        Reason.DISABLED,
        Reason.SUSPENDED,
        Reason.FULL,
        Reason.TOO_LARGE,
        Reason.RESTRICTED,
        Reason.CONTENT,
    }
)
"""What a code for the mailbox may be made more precise by."""

NOBODY_THERE = frozenset({Reason.UNKNOWN_USER, Reason.UNKNOWN_HOST, Reason.MOVED, Reason.DISABLED})
"""What ends a reader's letters for good."""

_UNAVAILABLE = "unavailable"
"""Of 550 a mailbox that is not there, of 450 one that is busy (RFC 5321 section 4.2.3)."""


def concern_of(code: int, text: str) -> Concern:
    """Whom a refusal concerns: `code` as in SMTP, `text` as it was said, an enhanced status code (RFC 3463) included.

    Codes outweigh words; and words about the reader outweigh those about us, so that a mailbox that is gone never
    counts as our trouble.
    """
    if code in _PACE:
        return Concern.PACE
    if code in _LOGIN:
        return Concern.US
    return Concern.US if code // 100 == 5 and told_reason(text) in _US else Concern.LETTER


def told_reason(text: str) -> Reason | None:
    """Why a letter was refused, as far as its words or a code among them say for certain; else None."""
    code = code_in(text)
    certain = plain_reason(code) if code else None
    by_words = reason_of_words(text)
    if certain is None:
        return by_words
    if certain in _US:
        return by_words if by_words in _US else certain
    return by_words if by_words in _OF_MAILBOX else certain


def reason_of(text: str, status: str | None = None) -> Reason:
    """Why a letter was refused: by the words of a reply, a code among them, or else the `status` beside it.

    Where a code says that nobody is there, and words say something else, the words count: many mail systems have one
    code for whatever they refuse, and what is said beside it was written for somebody to read.
    """
    told = told_reason(text)
    if told in NOBODY_THERE and not _is_exchanges(text) and (by_words := reason_of_words(text)):
        told = by_words
    if told:
        busy = told is Reason.UNKNOWN_USER and _UNAVAILABLE in text.lower() and is_temporary(text, status)
        return Reason.SYSTEM_TROUBLE if busy else told
    for code in (status, code_in(text)):
        if code and (hinted := vague_reason(code)):
            return hinted
    return Reason.UNCLEAR


def _is_exchanges(text: str) -> bool:
    """Whether it is how Exchange says that its directory has nobody of this name."""
    return code_in(text) == "5.4.1" and "access denied" in text.lower()


def is_temporary(text: str, status: str | None = None) -> bool:
    """Whether the codes of a reply, or else the `status` beside it, are of class 4."""
    if code := code_in(text):
        return code.startswith("4")
    if reply := _REPLY.search(text[:_CODE_MOST_READ]):
        return reply[1] == "4"
    return status is not None and status.startswith("4")
