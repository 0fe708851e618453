"""Bounces: kind, action, reason and severity of what came back, and the rule that makes a severity of a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class FeedbackKind(StrEnum):
    """What a mail to a feedback address is."""

    BOUNCE = "bounce"
    """Delivery failed permanently for at least one recipient."""
    DELAY = "delay"
    """Delivery is late and still being tried."""
    COMPLAINT = "complaint"
    """The reader, or the reader's provider, reports abuse (RFC 5965)."""
    AUTO_REPLY = "auto-reply"
    """A vacation program or the like replied (RFC 3834)."""
    RECEIPT = "receipt"
    """The letter was delivered, relayed, or displayed (RFC 3461, RFC 8098)."""
    NONE = "none"


class DsnAction(StrEnum):
    """RFC 3464 section 2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class Severity(StrEnum):
    """How much a bounce counts against the address."""

    HARD = "hard"
    """The address will never receive mail."""
    SOFT = "soft"
    """A later letter may be delivered."""
    SENDER_SIDE = "sender-side"
    """About the sender, its reputation or the letter: never counts against the subscriber."""
    IGNORE = "ignore"
    """Delays, receipts, auto-replies and complaints."""


class BounceReason(StrEnum):
    """Why a letter bounced."""

    UNKNOWN_USER = "unknown_user"
    UNKNOWN_HOST = "unknown_host"
    """The domain does not exist, or takes no mail (RFC 7505)."""
    MOVED = "moved"
    DISABLED = "disabled"
    """The mailbox is closed permanently."""
    SUSPENDED = "suspended"
    """The mailbox is closed for now, or for an unknown time."""
    FULL = "full"
    EXPIRED = "expired"
    """Retried until the retry time was over."""
    UNREACHABLE = "unreachable"
    """No connection to the recipient's mail system, or no route to it."""
    SYSTEM_TROUBLE = "system_trouble"
    TOO_LARGE = "too_large"
    RESTRICTED = "restricted"
    """The mailbox accepts mail only from certain senders."""
    SENDER = "sender"
    """The sender's address or domain is refused."""
    RELAY_DENIED = "relay_denied"
    AUTHENTICATION = "authentication"
    """SPF, DKIM, DMARC, reverse DNS, HELO, or SMTP AUTH."""
    BLOCKED = "blocked"
    """Block lists and bad reputation."""
    RATE = "rate"
    POLICY = "policy"
    CONTENT = "content"
    """Spam, viruses, attachments, forbidden links, bad format."""
    SPAM_COMPLAINT = "spam_complaint"
    VACATION = "vacation"
    RECEIPT = "receipt"
    UNCLEAR = "unclear"


HARD_REASONS = frozenset(
    {BounceReason.UNKNOWN_USER, BounceReason.UNKNOWN_HOST, BounceReason.MOVED, BounceReason.DISABLED}
)
"""Nobody reads mail at the address any more."""
_SOFT_REASONS = frozenset(
    {
        BounceReason.SUSPENDED,
        BounceReason.FULL,
        BounceReason.EXPIRED,
        BounceReason.UNREACHABLE,
        BounceReason.SYSTEM_TROUBLE,
        BounceReason.TOO_LARGE,
        BounceReason.UNCLEAR,
    }
)
_IGNORED_REASONS = frozenset({BounceReason.VACATION, BounceReason.RECEIPT, BounceReason.SPAM_COMPLAINT})


@dataclass(frozen=True, kw_only=True, slots=True)
class RecipientBounce:
    """The bounce of one recipient."""

    address: str
    """As we wrote it, where known; else as the last mail system knew it; empty where the notice names no recipient."""
    action: DsnAction
    status: str | None
    """Enhanced status code (RFC 3463), or None."""
    diagnostic: str
    """The refusing system's text, at most 1000 characters on one line."""
    severity: Severity
    reason: BounceReason


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedBounce:
    """A parsed mail to a feedback address."""

    kind: FeedbackKind
    recipients: tuple[RecipientBounce, ...] = ()
    unnamed: RecipientBounce | None = None
    """The bounce in a notice that names no recipient; the return path it came to may name the delivery."""
    complaint: str | None = None
    """A complaint's Feedback-Type in lower case: abuse, fraud, virus, opt-out, not-spam, other, ..."""


def soften_hard_bounce(bounce: RecipientBounce) -> RecipientBounce:
    """The bounce with SOFT for HARD: an incomplete notice must not stop letters permanently."""
    return replace(bounce, severity=Severity.SOFT) if bounce.severity is Severity.HARD else bounce


def determine_severity(reason: BounceReason, action: DsnAction, *, temporary: bool, after_data: bool) -> Severity:
    """The severity of a bounce.

    `temporary`: its codes are of class 4. An unknown host is then soft, since the DNS may answer tomorrow; an unknown
    user is hard all the same. `after_data`: the system accepted the recipient and refused after DATA. It refuses the
    letter then, so that an unknown user is soft.
    """
    if action is not DsnAction.FAILED or reason in _IGNORED_REASONS:
        return Severity.IGNORE
    if reason is BounceReason.UNKNOWN_HOST and temporary:
        return Severity.SOFT
    if reason is BounceReason.UNKNOWN_USER and after_data:
        return Severity.SOFT
    if reason in HARD_REASONS:
        return Severity.HARD
    return Severity.SOFT if reason in _SOFT_REASONS else Severity.SENDER_SIDE
