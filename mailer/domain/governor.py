"""The rules of the governor: when a blast is stopped, at one provider or everywhere, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.domain.abuse_limits import CounterKind
from mailer.settings.governor_table import GovernorSettings

CHECK_INTERVAL = timedelta(seconds=10)
"""How often at most a campaign is looked at."""
_FIRST_HOLD, _LONGEST_HOLD = timedelta(hours=1), timedelta(hours=12)
CounterKey = tuple[int, str, CounterKind]
"""Of what is heard: the campaign, the provider ("": all of them), and whether it was accepted, refused, deferred."""
_MIN_LETTERS, _MAX_PENDING_COUNTS = 10, 20_000
"""Letters to a provider below which they are kept in memory, and how many such numbers."""
_MIN_COMPLAINTS = 3
"""What one or two readers do is no pattern."""


class Metric(StrEnum):
    """What is the matter."""

    COMPLAINTS = "complaints"
    HARD = "hard"
    REFUSED = "refused"
    DEFERRED = "deferred"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryCounts:
    """What was said of a campaign's letters to one provider, or to all; no number is below 0."""

    accepted: int = 0
    refused: int = 0
    """Tries that were answered 5xx for the letter's sake."""
    deferred: int = 0
    """Tries that were answered 4xx."""
    hard: int = 0
    """Letters of which it was said, at once or later, that there is no such mailbox."""
    complaints: int = 0

    @property
    def tried(self) -> int:
        return self.accepted + self.refused + self.deferred

    def minus(self, other: DeliveryCounts) -> DeliveryCounts:
        """What is left when the other's are taken out."""
        return DeliveryCounts(
            accepted=max(self.accepted - other.accepted, 0),
            refused=max(self.refused - other.refused, 0),
            deferred=max(self.deferred - other.deferred, 0),
            hard=max(self.hard - other.hard, 0),
            complaints=max(self.complaints - other.complaints, 0),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ThresholdBreach:
    """A limit that is passed."""

    metric: Metric
    number: int
    total: int
    """Letters, that number among them."""
    provider: str | None
    """The domain of the readers' addresses; None for all of them."""

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
    """What is to be stopped: the whole campaign, or else its letters to some providers."""

    pause: ThresholdBreach | None = None
    hold: tuple[ThresholdBreach, ...] = field(default=())


def find_breaches(
    counts: DeliveryCounts, limits: GovernorSettings, provider: str | None = None
) -> Iterator[ThresholdBreach]:
    """The limits that are passed, the gravest first: of fewer letters than `after` nothing is said."""
    measured = (
        (Metric.COMPLAINTS, limits.complaints, counts.complaints, counts.accepted),
        (Metric.HARD, limits.hard, counts.hard, counts.tried),
        (Metric.REFUSED, limits.refused, counts.refused, counts.tried),
        (Metric.DEFERRED, limits.deferred, counts.deferred, counts.tried),
    )
    for ill, limit, number, of in measured:
        too_few = ill is Metric.COMPLAINTS and number < _MIN_COMPLAINTS
        if limit and of >= limits.after and number > limit * of and not too_few:
            yield ThresholdBreach(metric=ill, number=number, total=of, provider=provider)


def decide_pause_or_hold(
    whole: DeliveryCounts, providers: Mapping[str, DeliveryCounts], limits: GovernorSettings
) -> GovernorDecision:
    """What is to be stopped, by what was heard of the `whole` campaign and of each provider.

    Where all others together are well, the letters to a provider in trouble are held; where they are in trouble, or
    too few to tell, the campaign is paused; and so it is where too many complain, at one provider or over all.
    """
    over = [found for name in sorted(providers) if (found := next(find_breaches(providers[name], limits, name), None))]
    for trouble in (*over, *find_breaches(whole, limits)):
        if trouble.metric is Metric.COMPLAINTS:
            return GovernorDecision(pause=trouble)
    rest = whole
    for one in over:
        rest = rest.minus(providers[one.provider or ""])
    if (trouble_of_rest := next(find_breaches(rest, limits), None)) is not None:
        return GovernorDecision(pause=next(find_breaches(whole, limits), trouble_of_rest))
    if over and rest.tried < limits.after:
        return GovernorDecision(pause=over[0])
    return GovernorDecision(hold=tuple(over))


def take_reportable_counts(counts: Counter[CounterKey]) -> dict[CounterKey, int]:
    """Take out what is worth writing down: of providers with ten letters or with trouble, and of all together.

    What is below 0 (a refusal that was taken back after it was written down) waits until more is heard.
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
    """Until when letters to a provider wait that were held `times` times, this time among them: an hour, then two."""
    return now + min(_FIRST_HOLD * 2 ** min(times - 1, 8), _LONGEST_HOLD)
