"""Somebody's wish that an address join a list, through whichever door it came."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.domain.address import Address
from mailer.domain.consent import Evidence


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionRequest:
    """What was asked, and what is known of who asked."""

    list_name: str
    address: Address
    evidence: Evidence
    name: str | None = None
    language: str | None = None
    in_reply_to: str | None = None
    """The Message-ID of the mail that asked; a stranger's stands in no letter."""
    resend: bool = False
    """The letter did not come: it is wanted once more."""
    source: str | None = None
    """The IP address it came from."""
    authenticated: bool = False
    """The domain of the address stands behind the mail."""
