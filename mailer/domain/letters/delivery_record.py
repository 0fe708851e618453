"""DeliveryRecord: what the service keeps of one letter to one person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailer.domain.delivery import DeliveryState, Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryRecord:
    """One delivery, with what became of it. All times are UTC."""

    id: int
    campaign_id: int
    """0 for a notice."""
    kind: Kind
    subject: str
    """Of the campaign, in its default edition and as it is now; empty for a notice."""
    mailing_list_id: int | None
    subscription_id: int | None
    state: DeliveryState
    attempts: int
    resends: int
    code: int | None
    reply: str | None
    """The relay's words, or why the letter waits."""
    queued_at: datetime | None
    dated_at: datetime | None
    """The letter's Date header; None where no octets are kept: it was not handed, or its next try is written anew."""
    answered_at: datetime | None
    """When the relay last answered."""
    revision_id: int | None
    """The text it was last handed with; None where it was never handed."""
