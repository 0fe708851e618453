"""A subscription: one subscriber on one mailing list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CONFIRM_WITHIN = timedelta(days=14)
"""How long a confirmation token is valid. Leave tokens never expire."""
REJOIN_WITHIN = timedelta(days=2)
"""How long the Undo of the goodbye letter is valid."""
CONFIRMATION_INTERVAL = timedelta(days=1)
"""The shortest time between two confirmation letters that unauthenticated requests cause."""


class SubscriptionState(StrEnum):
    """pending -> confirmed -> unsubscribed; a new request makes it pending again."""

    PENDING = "pending"
    """Subscription was requested, and the person has not confirmed."""
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"
    """The person left, or declined to join."""


class DeliveryMode(StrEnum):
    """How a person chose to get letters elsewhere. Each letter is sent to all of them, since there are no digests."""

    EACH = "each"
    DIGEST = "digest"
    """A digest of a kind that is not known."""
    DIGEST_PLAIN = "digest-plain"
    """A plain text digest (RFC 1153)."""
    DIGEST_MIME = "digest-mime"
    """A MIME digest (RFC 2046, section 5.1.5)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """One subscription, with its subscriber's address, language and suppression key."""

    id: int
    mailing_list_id: int
    subscriber_id: int
    state: SubscriptionState
    changed_at: datetime
    asked_at: datetime | None
    """When the latest confirmation letter was put into the queue."""
    asked_again: bool
    """Whether the second letter of that day, asked for through the form, was queued too."""
    held_at: datetime | None
    """Since when the request is deferred without a letter, because of the limits of [shield]."""
    requested_name: str | None
    requested_language: str | None
    """What the request said. It is copied to the subscriber on confirmation only."""
    address: str
    address_key: str
    language: str | None
    suppression_key: str
    probed_at: datetime | None = None
    """When the latest letter was queued that asks, after soft bounces, whether mail still reaches the person."""
    delivery_mode: DeliveryMode | None = None
    """What the person chose elsewhere; None: each letter."""


def may_send_confirmation(subscription: Subscription, now: datetime, *, resend: bool = False) -> bool:
    """Whether a confirmation letter may be sent: one in CONFIRMATION_INTERVAL, and a second one with `resend`."""
    return may_ask_again(subscription.asked_at, now) or (resend and not subscription.asked_again)


def may_ask_again(asked_at: datetime | None, now: datetime) -> bool:
    """Whether a person who was last asked to confirm at `asked_at` may be asked by another letter."""
    return asked_at is None or now - asked_at >= CONFIRMATION_INTERVAL


def may_rejoin(subscription: Subscription, now: datetime) -> bool:
    """Whether the Undo of the goodbye letter is (still) valid for this subscription."""
    return subscription.state is SubscriptionState.UNSUBSCRIBED and now - subscription.changed_at <= REJOIN_WITHIN


def may_confirm(subscription: Subscription, now: datetime) -> bool:
    """Whether a confirmation token is (still) valid for this subscription."""
    return (
        subscription.state is SubscriptionState.PENDING
        and subscription.asked_at is not None
        and now - subscription.asked_at < CONFIRM_WITHIN
    )
