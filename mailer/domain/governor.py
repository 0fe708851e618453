"""The governor's rules: when a campaign is paused, or its letters to one provider are held, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.domain.abuse_limits import CounterKind
from mailer.settings.governor_table import GovernorSettings

CHECK_INTERVAL = timedelta(seconds=10)
"""How often a campaign is checked, at most."""
_FIRST_HOLD, _LONGEST_HOLD = timedelta(hours=1), timedelta(hours=12)
CounterKey = tuple[int, str, CounterKind]
"""A counter: campaign id, provider ("": all together), and accepted, refused or deferred."""
_MIN_LETTERS, _MAX_PENDING_COUNTS = 10, 20_000
"""Counts of providers with fewer letters stay in memory, and up to how many counts do."""
_MIN_COMPLAINTS = 3
"""Complaints of one or two recipients are no pattern."""


class Metric(StrEnum):
    """What is measured against a limit."""

    COMPLAINTS = "complaints"
    HARD = "hard"
    REFUSED = "refused"
    DEFERRED = "deferred"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryCounts:
    """Outcomes of a campaign's letters to one provider, or to all; no number is negative."""

    accepted: int = 0
    refused: int = 0
    """Tries that got a 5xx reply about the letter or its recipient."""
    deferred: int = 0
    """Tries that got a 4xx reply."""
    hard: int = 0
    """Letters whose mailbox does not exist, by a reply or a bounce."""
    complaints: int = 0

    @property
    def tried(self) -> int:
        """All tries that got a reply."""
        return self.accepted + self.refused + self.deferred

    def minus(self, other: DeliveryCounts) -> DeliveryCounts:
        """These counts without the other ones; not below 0."""
        return DeliveryCounts(
            accepted=max(self.accepted - other.accepted, 0),
            refused=max(self.refused - other.refused, 0),
            deferred=max(self.deferred - other.deferred, 0),
            hard=max(self.hard - other.hard, 0),
            complaints=max(self.complaints - other.complaints, 0),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ThresholdBreach:
    """A limit that was passed."""

    metric: Metric
    number: int
    total: int
    """Letters in all, `number` among them."""
    provider: str | None
    """The domain of the recipients' addresses; None for all of them."""

    def __str__(self) -> str:
        where = f" to {self.provider}" if self.provider else ""
        return f"of {self.total} letters{where} {self.number} {_METRIC_PHRASES[self.metric]}"


_METRIC_PHRASES = {
    Metric.COMPLAINTS: "were complained of",
    Metric.HARD: "found no such mailbox",
    Metric.REFUSED: "were refused for good (5xx)",
    Metric.DEFERRED: "were put off (4xx)",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class GovernorDecision:
    """What to stop: the whole campaign, or its letters to some providers."""

    pause: ThresholdBreach | None = None
    hold: tuple[ThresholdBreach, ...] = field(default=())


def find_breaches(
    counts: DeliveryCounts, limits: GovernorSettings, provider: str | None = None
) -> Iterator[ThresholdBreach]:
    """The limits that these counts pass, the gravest first; none below `limits.after` letters."""
    measured = (
        (Metric.COMPLAINTS, limits.complaints, counts.complaints, counts.accepted),
        (Metric.HARD, limits.hard, counts.hard, counts.tried),
        (Metric.REFUSED, limits.refused, counts.refused, counts.tried),
        (Metric.DEFERRED, limits.deferred, counts.deferred, counts.tried),
    )
    for metric, limit, number, total in measured:
        too_few = metric is Metric.COMPLAINTS and number < _MIN_COMPLAINTS
        if limit and total >= limits.after and number > limit * total and not too_few:
            yield ThresholdBreach(metric=metric, number=number, total=total, provider=provider)


def decide_pause_or_hold(
    whole: DeliveryCounts, providers: Mapping[str, DeliveryCounts], limits: GovernorSettings
) -> GovernorDecision:
    """Decide what to stop, from the counts of the `whole` campaign and of each provider.

    - Too many complaints, at one provider or in all: pause.
    - Some providers pass a limit, and the others together do not: hold the letters to those providers.
    - The others pass a limit, too, or got too few letters to tell: pause.
    """
    over = [first for name in sorted(providers) if (first := next(find_breaches(providers[name], limits, name), None))]
    for breach in (*over, *find_breaches(whole, limits)):
        if breach.metric is Metric.COMPLAINTS:
            return GovernorDecision(pause=breach)
    rest = whole
    for one in over:
        rest = rest.minus(providers[one.provider or ""])
    if (breach_of_rest := next(find_breaches(rest, limits), None)) is not None:
        return GovernorDecision(pause=next(find_breaches(whole, limits), breach_of_rest))
    if over and rest.tried < limits.after:
        return GovernorDecision(pause=over[0])
    return GovernorDecision(hold=tuple(over))


def take_reportable_counts(counts: Counter[CounterKey]) -> dict[CounterKey, int]:
    """Remove and return the counts worth recording: in all, and of providers with ten letters or with a failure.

    Negative counts (a refusal taken back after it was recorded) stay until they are positive again.
    """
    letters: Counter[tuple[int, str]] = Counter()
    for (campaign_id, provider, kind), number in counts.items():
        weight = number if kind is CounterKind.ACCEPTED or not provider else number * _MIN_LETTERS
        letters[campaign_id, provider] += max(weight, 0)
    every = len(counts) > _MAX_PENDING_COUNTS
    taken = {
        key: number
        for key, number in counts.items()
        if number > 0 and (every or not key[1] or letters[key[:2]] >= _MIN_LETTERS)
    }
    for key in taken:
        del counts[key]
    return taken


def held_until(times: int, now: datetime) -> datetime:
    """Until when a provider is held the `times`-th time: an hour, then two, four, up to twelve."""
    return now + min(_FIRST_HOLD * 2 ** min(times - 1, 8), _LONGEST_HOLD)
