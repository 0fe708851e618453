"""Bounce rules: when bounces of one subscriber lead to a probe, or to no more letters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.domain.bounce import FeedbackKind, Severity
from mailer.domain.delivery import Kind

HALF_LIFE = timedelta(days=14)
"""A soft bounce of this age counts half."""
BOUNCE_MEMORY = timedelta(days=90)
"""Older bounces do not count."""
PROBE_VALID_FOR = timedelta(days=56)
"""How long a probe counts; after that the next one is sent as if there had been none."""
BOUNCES_AFTER_PROBE = 2
"""So many more bounces after a probe stop the list's letters."""
BOUNCE_DEADLINE = timedelta(days=5)
"""A letter that was accepted and did not bounce for so long is taken as delivered (RFC 5321 section 4.5.4.1)."""
_NOT_COMPLAINTS = frozenset({"not-spam", "auth-failure", "dmarc", "virus"})
"""Feedback types that are no request to stop the letters (RFC 6430, RFC 6591)."""


class BounceDecision(StrEnum):
    """What follows from a bounce."""

    NOTHING = "nothing"
    PROBE = "probe"
    """Send a probe: a letter that shows whether the mailbox exists."""
    STOP = "stop"
    """No more letters from this list."""
    STOP_ALL = "stop all"
    """No more letters from any list: the mailbox does not exist."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PastBounce:
    """One letter to a subscriber that bounced."""

    delivery_id: int
    letter_kind: Kind
    severity: Severity
    at: datetime


def is_complaint(kind: FeedbackKind, complaint: str | None) -> bool:
    """Whether feedback means that the reader wants no more letters; a missing or unknown type does."""
    return kind is FeedbackKind.COMPLAINT and complaint not in _NOT_COMPLAINTS


def decide_on_bounce(
    newest: PastBounce,
    past: Iterable[PastBounce],
    *,
    hard_after: int,
    soft_limit: int,
    probed_at: datetime | None = None,
    last_delivered_at: datetime | None = None,
) -> BounceDecision:
    """What follows from the newest bounce of one subscriber on one list.

    `past` are the earlier bounces; it may hold the newest, too, and several of one letter, of which the most severe
    counts. `hard_after` is how many hard bounces in a row stop all letters, `soft_limit` the score at which a probe is
    sent. `probed_at` is when the last probe was queued, `last_delivered_at` when a letter was last delivered: it ends
    a row of hard bounces.
    """
    if newest.severity not in {Severity.HARD, Severity.SOFT}:
        return BounceDecision.NOTHING
    now, bounces = newest.at, _most_severe_bounces([*past, newest])
    since = max(now - BOUNCE_MEMORY, last_delivered_at) if last_delivered_at else now - BOUNCE_MEMORY
    in_a_row = sum(1 for one in bounces if one.severity is Severity.HARD and one.at > since)
    if newest.severity is Severity.HARD and (in_a_row >= hard_after or newest.letter_kind is Kind.PROBE):
        return BounceDecision.STOP_ALL
    if newest.letter_kind is Kind.PROBE:
        return BounceDecision.STOP
    if probed_at is not None and now - probed_at < PROBE_VALID_FOR:
        more = sum(1 for one in bounces if one.at > probed_at)
        return BounceDecision.STOP if more >= BOUNCES_AFTER_PROBE else BounceDecision.NOTHING
    return BounceDecision.PROBE if bounce_score(bounces, now) >= soft_limit else BounceDecision.NOTHING


def bounce_score(bounces: Iterable[PastBounce], now: datetime) -> float:
    """The sum over the bounces: each counts 1 when it came, and half as much every 14 days."""
    return float(sum(0.5 ** (max(now - one.at, timedelta(0)) / HALF_LIFE) for one in bounces))


def _most_severe_bounces(past: Iterable[PastBounce]) -> list[PastBounce]:
    found: dict[int, PastBounce] = {}
    for bounce in past:
        if bounce.severity is Severity.HARD or (bounce.severity is Severity.SOFT and bounce.delivery_id not in found):
            found[bounce.delivery_id] = bounce
    return list(found.values())
