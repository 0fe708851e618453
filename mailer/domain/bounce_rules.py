"""The rules for letters that came back: what is held against whom, and when a mailbox is written to no more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.domain.bounce import FeedbackKind, Severity
from mailer.domain.delivery import Kind

HALF_LIFE = timedelta(days=14)
"""In which a letter that came back for now counts for half."""
BOUNCE_MEMORY = timedelta(days=90)
"""What came back before counts for nothing."""
PROBE_VALID_FOR = timedelta(days=56)
"""How long it matters that a probe was written; then it would be written anew."""
BOUNCES_AFTER_PROBE = 2
"""So many more after a probe, and nobody seems to be there."""
BOUNCE_DEADLINE = timedelta(days=5)
"""An accepted letter of which nothing was heard for so long has arrived (RFC 5321 section 4.5.4.1)."""
_NOT_COMPLAINTS = frozenset({"not-spam", "auth-failure", "dmarc", "virus"})
"""Feedback that is not the reader's wish to get no more (RFC 6430, RFC 6591)."""


class BounceDecision(StrEnum):
    """What is to be done."""

    NOTHING = "nothing"
    PROBE = "probe"
    """A letter asks whether anybody is there."""
    STOP = "stop"
    """The list writes no more."""
    STOP_ALL = "stop all"
    """No list does: there is no such mailbox."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PastBounce:
    """One letter to a reader that came back."""

    delivery_id: int
    letter_kind: Kind
    severity: Severity
    at: datetime


def is_complaint(kind: FeedbackKind, complaint: str | None) -> bool:
    """Whether the reader wants no more letters. A type that is not told, or that we do not know, is such."""
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
    """What follows from the newest of what came back from one reader to one list.

    `past` may hold it, too, and more than one of a letter: each counts once, as the heaviest. `probed_at` is when a
    probe was last written, `well_at` when a letter last arrived: what came back before breaks off the row.
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
    """What so many letters that came back amount to: each 1 when it did, and half as much every 14 days."""
    return float(sum(0.5 ** (max(now - one.at, timedelta(0)) / HALF_LIFE) for one in bounces))


def _most_severe_bounces(past: Iterable[PastBounce]) -> list[PastBounce]:
    found: dict[int, PastBounce] = {}
    for bounce in past:
        if bounce.severity is Severity.HARD or (bounce.severity is Severity.SOFT and bounce.delivery_id not in found):
            found[bounce.delivery_id] = bounce
    return list(found.values())
