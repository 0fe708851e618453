"""PersonView: what the service knows of one address, and on what evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailer.domain.subscription import DeliveryMode, SubscriptionState

EVERY_LIST_NAME = "every list"
"""Stands for the name of a list where a suppression is for all lists."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SuppressionView:
    """A suppression that stands now."""

    list_name: str
    """EVERY_LIST_NAME for all lists."""
    reason: str
    until: datetime | None = None
    """When it ends by itself; None: never."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BounceView:
    """One bounce, complaint or other feedback about a letter to the person."""

    at: datetime
    list_name: str | None
    """None for a letter of no list."""
    campaign_id: int
    """0 for a notice."""
    letter: str
    kind: str
    severity: str
    reason: str
    status: str | None
    """The enhanced status code (RFC 3463)."""
    complaint: str | None
    channel: str
    """How it came: "mail", "smtp", or the name of a provider."""
    diagnostic: str
    undone: bool
    """Whether it does not count any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentView:
    """One line of the consent record."""

    at: datetime
    list_name: str
    act: str
    channel: str
    evidence: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonView:
    """Everything that is known of one address."""

    id: int
    address: str
    name: str | None
    language: str | None
    zone: str | None
    never: bool
    """Whether the person chose "never ask me again"."""
    suppressions: tuple[SuppressionView, ...]
    paused: frozenset[str]
    """The names of the lists that they are subscribed to, and whose letters are paused."""
    subscriptions: dict[str, SubscriptionState]
    """By the name of the list."""
    delivery_modes: dict[str, DeliveryMode]
    """By the name of the list, where the person chose another than each letter elsewhere. They get each letter here."""
    bounces: tuple[BounceView, ...]
    """Oldest first."""
    consents: tuple[ConsentView, ...]
    """Oldest first."""
