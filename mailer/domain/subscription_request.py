"""A request that an address join a list, from a mail or a form."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.domain.address import Address
from mailer.domain.consent import Evidence


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionRequest:
    """What is asked for, and what is known of who asked."""

    list_name: str
    address: Address
    evidence: Evidence
    name: str | None = None
    language: str | None = None
    in_reply_to: str | None = None
    """The Message-ID of the mail that asked. The letter names it only to an authenticated sender."""
    resend: bool = False
    """The person asks for the confirmation letter once more, because it did not arrive."""
    source: str | None = None
    """The IP address that the request came from; None where it is unknown."""
    authenticated: bool = False
    """Whether SPF or DKIM, aligned as DMARC asks, shows that the mail is from the address's domain."""
