"""What came back of one letter of ours, by whichever way it was told: a mail, a reply in SMTP, a provider's call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailer.domain.bounce import FeedbackKind, RecipientBounce


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryFeedback:
    """One thing that came back; of which letter, its number says, or else the reader's address and the Message-ID."""

    delivery_id: int | None
    """Only where a signed word of ours proves it, or we carried the letter ourselves."""
    address: str | None
    """To whom the letter went, where that is told."""
    kind: FeedbackKind
    bounce: RecipientBounce | None
    """What became of it; None where nothing more is known."""
    complaint: str | None
    """A complaint's type (`Returned.complaint`); None where it is not told."""
    channel: str
    """How it was told: "mail", "smtp", or the name of a provider."""
    message_id: str | None
    """Of our letter, with or without angle brackets."""
    at: datetime
    """Aware: when it came back."""
