"""The rules for letters that came back: what is held against whom, and when a mailbox is written to no more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.domain.bounce import ReturnKind, Weight
from mailer.domain.delivery import Kind

HALF_LIFE = timedelta(days=14)
"""In which a letter that came back for now counts for half."""
REMEMBERED = timedelta(days=90)
"""What came back before counts for nothing."""
PROBE_COUNTS = timedelta(days=56)
"""How long it matters that a probe was written; then it would be written anew."""
AFTER_PROBE = 2
"""So many more after a probe, and nobody seems to be there."""
TIME_TO_COME_BACK = timedelta(days=5)
"""An accepted letter of which nothing was heard for so long has arrived (RFC 5321 section 4.5.4.1)."""
_NO_COMPLAINTS = frozenset({"not-spam", "auth-failure", "dmarc", "virus"})
"""Feedback that is not the reader's wish to get no more (RFC 6430, RFC 6591)."""


class Measure(StrEnum):
    """What is to be done."""

    NOTHING = "nothing"
    PROBE = "probe"
    """A letter asks whether anybody is there."""
    STOP = "stop"
    """The list writes no more."""
    STOP_ALL = "stop all"
    """No list does: there is no such mailbox."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PastReturn:
    """One letter to a reader that came back."""

    delivery_id: int
    letter: Kind
    weight: Weight
    at: datetime


def is_complaint(kind: ReturnKind, complaint: str | None) -> bool:
    """Whether the reader wants no more letters. A type that is not told, or that we do not know, is such."""
    return kind is ReturnKind.COMPLAINT and complaint not in _NO_COMPLAINTS


def measure(
    newest: PastReturn,
    past: Iterable[PastReturn],
    *,
    hard_after: int,
    soft_limit: int,
    probed_at: datetime | None = None,
    well_at: datetime | None = None,
) -> Measure:
    """What follows from the newest of what came back from one reader to one list.

    `past` may hold it, too, and more than one of a letter: each counts once, as the heaviest. `probed_at` is when a
    probe was last written, `well_at` when a letter last arrived: what came back before breaks off the row.
    """
    if newest.weight not in {Weight.HARD, Weight.SOFT}:
        return Measure.NOTHING
    now, counted = newest.at, _heaviest([*past, newest])
    since = max(now - REMEMBERED, well_at) if well_at else now - REMEMBERED
    in_a_row = sum(1 for one in counted if one.weight is Weight.HARD and one.at > since)
    if newest.weight is Weight.HARD and (in_a_row >= hard_after or newest.letter is Kind.PROBE):
        return Measure.STOP_ALL
    if newest.letter is Kind.PROBE:
        return Measure.STOP
    if probed_at is not None and now - probed_at < PROBE_COUNTS:
        more = sum(1 for one in counted if one.at > probed_at)
        return Measure.STOP if more >= AFTER_PROBE else Measure.NOTHING
    return Measure.PROBE if points(counted, now) >= soft_limit else Measure.NOTHING


def points(counted: Iterable[PastReturn], now: datetime) -> float:
    """What so many letters that came back amount to: each 1 when it did, and half as much every 14 days."""
    return float(sum(0.5 ** (max(now - one.at, timedelta(0)) / HALF_LIFE) for one in counted))


def _heaviest(past: Iterable[PastReturn]) -> list[PastReturn]:
    found: dict[int, PastReturn] = {}
    for one in past:
        if one.weight is Weight.HARD or (one.weight is Weight.SOFT and one.delivery_id not in found):
            found[one.delivery_id] = one
    return list(found.values())
