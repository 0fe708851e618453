"""What a mail that came back says: of whom, what became of the letter, and whether it is held against them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class FeedbackKind(StrEnum):
    """What sort of thing came back."""

    BOUNCE = "bounce"
    """A letter was given up, for one of its recipients at least."""
    DELAY = "delay"
    """It is late and still being tried."""
    COMPLAINT = "complaint"
    """A reader, or the reader's provider, calls it abuse (RFC 5965)."""
    AUTO_REPLY = "auto-reply"
    """A vacation program or another robot answered (RFC 3834)."""
    RECEIPT = "receipt"
    """It was delivered, relayed, or shown (RFC 3461, RFC 8098)."""
    NONE = "none"


class DsnAction(StrEnum):
    """RFC 3464 section 2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class Severity(StrEnum):
    """What a return counts for."""

    HARD = "hard"
    """Nobody will ever read mail at this address."""
    SOFT = "soft"
    """It may go better another time."""
    SENDER_SIDE = "sender-side"
    """About us, our standing or the letter: never held against the subscriber."""
    IGNORE = "ignore"
    """Delays, receipts and vacations."""


class BounceReason(StrEnum):
    """Why a letter was refused."""

    UNKNOWN_USER = "unknown_user"
    UNKNOWN_HOST = "unknown_host"
    """The domain does not exist, or takes no mail (RFC 7505)."""
    MOVED = "moved"
    DISABLED = "disabled"
    """The mailbox is closed for ever."""
    SUSPENDED = "suspended"
    """It is closed for now, or nobody says for how long."""
    FULL = "full"
    EXPIRED = "expired"
    """Tried until the time was over."""
    UNREACHABLE = "unreachable"
    """No connection to the reader's mail system, or no way there."""
    SYSTEM_TROUBLE = "system_trouble"
    TOO_LARGE = "too_large"
    RESTRICTED = "restricted"
    """The mailbox takes mail from few, and not from us."""
    SENDER = "sender"
    """Our sender's address, or its domain, is refused."""
    RELAY_DENIED = "relay_denied"
    AUTHENTICATION = "authentication"
    """SPF, DKIM, DMARC, reverse DNS, HELO, or our login."""
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


_HARD_REASONS = frozenset(
    {BounceReason.UNKNOWN_USER, BounceReason.UNKNOWN_HOST, BounceReason.MOVED, BounceReason.DISABLED}
)
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
    """What came back for one address."""

    address: str
    """As we wrote to it, where that is known; else as the last mail system knew it; empty where nobody is named."""
    action: DsnAction
    status: str | None
    """Enhanced status code (RFC 3463), or None where there is none."""
    diagnostic: str
    """What was said, at most 1000 characters on one line."""
    severity: Severity
    reason: BounceReason


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedBounce:
    """A mail that came back, read."""

    kind: FeedbackKind
    recipients: tuple[RecipientBounce, ...] = ()
    unnamed: RecipientBounce | None = None
    """What is said by a notice that names nobody: of whom, the return path it came to may tell."""
    complaint: str | None = None
    """A complaint's Feedback-Type in lower case: abuse, fraud, virus, opt-out, not-spam, other, ..."""


def soften_hard_bounce(bounce: RecipientBounce) -> RecipientBounce:
    """The same where not all that was said of it is known: nobody's letters end for good by it."""
    return replace(bounce, severity=Severity.SOFT) if bounce.severity is Severity.HARD else bounce


def determine_severity(reason: BounceReason, action: DsnAction, *, temporary: bool, after_data: bool) -> Severity:
    """What a refusal counts for.

    `temporary`: its codes are of class 4. A host that could not be found in time may be back tomorrow; a user that is
    unknown was looked up. `late`: said when the letter had been given, by a system that took the address before: it
    refuses the letter, whatever it calls that.
    """
    if action is not DsnAction.FAILED or reason in _IGNORED_REASONS:
        return Severity.IGNORE
    if reason is BounceReason.UNKNOWN_HOST and temporary:
        return Severity.SOFT
    if reason is BounceReason.UNKNOWN_USER and after_data:
        return Severity.SOFT
    if reason in _HARD_REASONS:
        return Severity.HARD
    return Severity.SOFT if reason in _SOFT_REASONS else Severity.SENDER_SIDE
