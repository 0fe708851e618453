"""Recognising what a mail system's words mean, by tables of phrases: the same for refusals and for what comes back."""

from __future__ import annotations

from mailer.domain.bounce import BounceReason
from mailer.mail.bounces.phrase_matcher import PhraseMatcher, normalize_words
from mailer.mail.bounces.phrases_content import CONTENT_PHRASES, SPAM_PHRASES, TOO_LARGE_PHRASES
from mailer.mail.bounces.phrases_mailbox import (
    DELETED_PHRASES,
    FULL_PHRASES,
    MOVED_PHRASES,
    PERMANENTLY_DISABLED_PHRASES,
    RESTRICTED_PHRASES,
    SUSPENDED_PHRASES,
)
from mailer.mail.bounces.phrases_network import (
    DNS_FAILURE_PHRASES,
    EXPIRED_PHRASES,
    SYSTEM_TROUBLE_PHRASES,
    TEMPORARY_FAILURE_PHRASES,
    UNKNOWN_DOMAIN_PHRASES,
    UNKNOWN_HOST_PHRASES,
    UNREACHABLE_PHRASES,
)
from mailer.mail.bounces.phrases_sender import (
    BLOCKED_PHRASES,
    POLICY_PHRASES,
    RATE_LIMIT_PHRASES,
    RELAY_DENIED_PHRASES,
    SENDER_AUTHENTICATION_PHRASES,
    SENDER_PHRASES,
    SENDING_QUOTA_PHRASES,
    SMTP_AUTHENTICATION_PHRASES,
)
from mailer.mail.bounces.phrases_unknown_user import (
    MAILBOX_UNAVAILABLE_PHRASES,
    RECIPIENT_REJECTED_PHRASES,
    UNKNOWN_USER_PHRASES,
)

PHRASE_ROWS: tuple[tuple[BounceReason, str], ...] = (
    (BounceReason.SENDER, SENDER_PHRASES),
    (BounceReason.RATE, SENDING_QUOTA_PHRASES),
    (BounceReason.CONTENT, CONTENT_PHRASES),
    (BounceReason.UNREACHABLE, TEMPORARY_FAILURE_PHRASES),
    (BounceReason.UNKNOWN_HOST, UNKNOWN_DOMAIN_PHRASES),
    (BounceReason.UNREACHABLE, DNS_FAILURE_PHRASES),
    (BounceReason.TOO_LARGE, TOO_LARGE_PHRASES),
    (BounceReason.FULL, FULL_PHRASES),
    (BounceReason.MOVED, MOVED_PHRASES),
    (BounceReason.DISABLED, PERMANENTLY_DISABLED_PHRASES),
    (BounceReason.SUSPENDED, SUSPENDED_PHRASES),
    (BounceReason.DISABLED, DELETED_PHRASES),
    (BounceReason.RESTRICTED, RESTRICTED_PHRASES),
    (BounceReason.UNKNOWN_USER, UNKNOWN_USER_PHRASES),
    (BounceReason.RELAY_DENIED, RELAY_DENIED_PHRASES),
    (BounceReason.AUTHENTICATION, SENDER_AUTHENTICATION_PHRASES),
    (BounceReason.BLOCKED, BLOCKED_PHRASES),
    (BounceReason.AUTHENTICATION, SMTP_AUTHENTICATION_PHRASES),
    (BounceReason.CONTENT, SPAM_PHRASES),
    (BounceReason.RATE, RATE_LIMIT_PHRASES),
    (BounceReason.POLICY, POLICY_PHRASES),
    (BounceReason.UNKNOWN_HOST, UNKNOWN_HOST_PHRASES),
    (BounceReason.EXPIRED, EXPIRED_PHRASES),
    (BounceReason.UNREACHABLE, UNREACHABLE_PHRASES),
    (BounceReason.UNKNOWN_USER, MAILBOX_UNAVAILABLE_PHRASES),
    (BounceReason.SYSTEM_TROUBLE, SYSTEM_TROUBLE_PHRASES),
    (BounceReason.UNKNOWN_USER, RECIPIENT_REJECTED_PHRASES),
)
"""What is said, most telling first: our sender's address by name, or how much we send, outweighs all else; words about
the letter and its reader outweigh those about us, so that a mailbox that is gone never counts as our trouble."""
_RECIPIENT_REASONS = frozenset(
    {BounceReason.FULL, BounceReason.MOVED, BounceReason.DISABLED, BounceReason.SUSPENDED, BounceReason.UNKNOWN_USER}
)
"""Not where it is "your account": that is ours."""


_PHRASES = PhraseMatcher([phrases for _, phrases in PHRASE_ROWS])


def match_phrase_reason(text: str) -> BounceReason | None:
    """Why a letter was refused, by the words alone; None where they tell nothing. Reads 3000 characters."""
    words = normalize_words(text)
    best = min((rank for rank, at in _PHRASES.find_all(words) if not _is_our_account(words, rank, at)), default=None)
    return None if best is None else PHRASE_ROWS[best][0]


def _is_our_account(words: str, rank: int, at: int) -> bool:
    return PHRASE_ROWS[rank][0] in _RECIPIENT_REASONS and words.endswith(" your ", 0, at)
