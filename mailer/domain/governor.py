"""The rules of the governor: when a blast is stopped, at one provider or everywhere, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.domain.abuse_limits import Counted
from mailer.settings.governor_table import GovernorSettings

LOOK_EVERY = timedelta(seconds=10)
"""How often at most a campaign is looked at."""
_FIRST_HOLD, _LONGEST_HOLD = timedelta(hours=1), timedelta(hours=12)
Key = tuple[int, str, Counted]
"""Of what is heard: the campaign, the provider ("": all of them), and whether it was accepted, refused, deferred."""
_FEWEST_LETTERS, _MOST_KEPT = 10, 20_000
"""Letters to a provider below which they are kept in memory, and how many such numbers."""
_FEWEST_COMPLAINTS = 3
"""What one or two readers do is no pattern."""


class Ill(StrEnum):
    """What is the matter."""

    COMPLAINTS = "complaints"
    HARD = "hard"
    REFUSED = "refused"
    DEFERRED = "deferred"


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
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

    def without(self, other: Heard) -> Heard:
        """What is left when the other's are taken out."""
        return Heard(
            accepted=max(self.accepted - other.accepted, 0),
            refused=max(self.refused - other.refused, 0),
            deferred=max(self.deferred - other.deferred, 0),
            hard=max(self.hard - other.hard, 0),
            complaints=max(self.complaints - other.complaints, 0),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """A limit that is passed."""

    ill: Ill
    number: int
    of: int
    """Letters, that number among them."""
    provider: str | None
    """The domain of the readers' addresses; None for all of them."""

    def __str__(self) -> str:
        where = f" to {self.provider}" if self.provider else ""
        return f"of {self.of} letters{where} {self.number} {_WORDS[self.ill]}"


_WORDS = {
    Ill.COMPLAINTS: "were complained of",
    Ill.HARD: "found no such mailbox",
    Ill.REFUSED: "were refused for good (5xx)",
    Ill.DEFERRED: "were put off (4xx)",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What is to be stopped: the whole campaign, or else its letters to some providers."""

    pause: Trouble | None = None
    hold: tuple[Trouble, ...] = field(default=())


def troubles(heard: Heard, limits: GovernorSettings, provider: str | None = None) -> Iterator[Trouble]:
    """The limits that are passed, the gravest first: of fewer letters than `after` nothing is said."""
    measured = (
        (Ill.COMPLAINTS, limits.complaints, heard.complaints, heard.accepted),
        (Ill.HARD, limits.hard, heard.hard, heard.tried),
        (Ill.REFUSED, limits.refused, heard.refused, heard.tried),
        (Ill.DEFERRED, limits.deferred, heard.deferred, heard.tried),
    )
    for ill, limit, number, of in measured:
        too_few = ill is Ill.COMPLAINTS and number < _FEWEST_COMPLAINTS
        if limit and of >= limits.after and number > limit * of and not too_few:
            yield Trouble(ill=ill, number=number, of=of, provider=provider)


def govern(whole: Heard, providers: Mapping[str, Heard], limits: GovernorSettings) -> Verdict:
    """What is to be stopped, by what was heard of the `whole` campaign and of each provider.

    Where all others together are well, the letters to a provider in trouble are held; where they are in trouble, or
    too few to tell, the campaign is paused; and so it is where too many complain, at one provider or over all.
    """
    over = [found for name in sorted(providers) if (found := next(troubles(providers[name], limits, name), None))]
    for trouble in (*over, *troubles(whole, limits)):
        if trouble.ill is Ill.COMPLAINTS:
            return Verdict(pause=trouble)
    rest = whole
    for one in over:
        rest = rest.without(providers[one.provider or ""])
    if (trouble_of_rest := next(troubles(rest, limits), None)) is not None:
        return Verdict(pause=next(troubles(whole, limits), trouble_of_rest))
    if over and rest.tried < limits.after:
        return Verdict(pause=over[0])
    return Verdict(hold=tuple(over))


def ripe(heard: Counter[Key]) -> dict[Key, int]:
    """Take out what is worth writing down: of providers with ten letters or with trouble, and of all together.

    What is below 0 (a refusal that was taken back after it was written down) waits until more is heard.
    """
    letters: Counter[tuple[int, str]] = Counter()
    for (campaign_id, provider, kind), number in heard.items():
        weight = number if kind is Counted.ACCEPTED or not provider else number * _FEWEST_LETTERS
        letters[campaign_id, provider] += max(weight, 0)
    every = len(heard) > _MOST_KEPT
    taken = {
        key: number
        for key, number in heard.items()
        if number > 0 and (every or not key[1] or letters[key[:2]] >= _FEWEST_LETTERS)
    }
    for key in taken:
        del heard[key]
    return taken


def held_until(times: int, now: datetime) -> datetime:
    """Until when letters to a provider wait that were held `times` times, this time among them: an hour, then two."""
    return now + min(_FIRST_HOLD * 2 ** min(times - 1, 8), _LONGEST_HOLD)
