"""ListView: what an organiser sees of a mailing list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState


@dataclass(frozen=True, kw_only=True, slots=True)
class ListView:
    """A mailing list with its address, its page and how many people are on it."""

    mailing_list: MailingList
    address: str
    join_url: str
    throttled_until: datetime | None
    """Until when unauthenticated requests are deferred; None where they are not."""
    subscriptions: dict[SubscriptionState, int]
    """How many subscriptions are in each state; every state is there."""


@dataclass(frozen=True, slots=True)
class PeopleNumber:
    """A number of people that was counted up to a bound."""

    number: int
    is_exact: bool
    """False where there are more."""
