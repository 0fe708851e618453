"""A subscription: one subscriber on one mailing list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CONFIRM_WITHIN = timedelta(days=14)
"""How long a confirmation token stays good; leave tokens never expire."""
REJOIN_WITHIN = timedelta(days=2)
"""How long the goodbye's Undo stays good."""
CONFIRMATION_INTERVAL = timedelta(days=1)
"""A stranger's repeated request sends no second confirmation before that."""


class SubscriptionState(StrEnum):
    """pending -> confirmed -> unsubscribed, and back to pending by asking again."""

    PENDING = "pending"
    """Somebody asked; the person has not confirmed."""
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"
    """Left, or declined to join."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """One subscription with what an action needs to know of its subscriber."""

    id: int
    mailing_list_id: int
    subscriber_id: int
    state: SubscriptionState
    changed_at: datetime
    asked_at: datetime | None
    """When the latest confirmation letter was written."""
    asked_again: bool
    """Whether that day's second one, on request through the form, was written too."""
    held_at: datetime | None
    """Since when it waits without a letter, because too many would go out."""
    requested_name: str | None
    requested_language: str | None
    """What the request said; it touches the subscriber only on confirmation."""
    address: str
    address_key: str
    language: str | None
    suppression_key: str
    probed_at: datetime | None = None
    """When it was last asked by letter whether anybody is there, since letters came back."""


def may_send_confirmation(subscription: Subscription, now: datetime, *, resend: bool = False) -> bool:
    """Whether another confirmation letter may be written: one a day, and a second when asked for `again`."""
    if subscription.asked_at is None or now - subscription.asked_at >= CONFIRMATION_INTERVAL:
        return True
    return resend and not subscription.asked_again


def may_rejoin(subscription: Subscription, now: datetime) -> bool:
    """Whether a leaving can (still) be taken back with one press."""
    return subscription.state is SubscriptionState.UNSUBSCRIBED and now - subscription.changed_at <= REJOIN_WITHIN


def may_confirm(subscription: Subscription, now: datetime) -> bool:
    """Whether a confirmation is (still) waited for."""
    return (
        subscription.state is SubscriptionState.PENDING
        and subscription.asked_at is not None
        and now - subscription.asked_at < CONFIRM_WITHIN
    )
