"""Feedback on one of our deliveries: a bounce, delay or complaint that came by mail, SMTP reply or provider call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailer.domain.bounce import FeedbackKind, RecipientBounce


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryFeedback:
    """One bounce, delay or complaint; the delivery is named by its id, else by the address and the Message-ID."""

    delivery_id: int | None
    """Known where a token of ours names it, or where the relay rejected the letter."""
    address: str | None
    """The recipient of the letter, where the report names it."""
    kind: FeedbackKind
    bounce: RecipientBounce | None
    """Reason and severity; None where the report gives none."""
    complaint: str | None
    """A complaint's type as in `ParsedBounce.complaint`; None where the report gives none."""
    channel: str
    """How it came: "mail", "smtp", or the name of a provider."""
    message_id: str | None
    """The letter's Message-ID, with or without angle brackets."""
    at: datetime
    """When it came back (aware)."""
