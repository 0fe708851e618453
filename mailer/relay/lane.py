"""A lane: the way to one destination domain or through one relay, as far as its replies tell how it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailer.domain.delivery import Concern, Delivery, Outcome, Verdict

SAME_REFUSALS = 10
"""So many different people refused in a row with the same words: it is not about them."""
_DOMAINS_ALIKE = 3
"""So many domains in a row of which the same is said: it is the relay that says it. Or so many letters, where the relay
speaks for itself."""
_SLOW_RUN = 3
"""So many "too fast" in a row: it wants to be left alone."""
_FIRST_SLOW, _LONGEST_SLOW = timedelta(seconds=5), timedelta(minutes=10)
_FIRST_STOP, _LONGEST_STOP = timedelta(minutes=5), timedelta(hours=1)


@dataclass(slots=True, eq=False)
class Lane:
    """What is known of a lane: how many letters it bears at once, and until when it is closed."""

    name: str
    most_flying: int
    """Letters on their way at once that it may bear, when all is well."""
    flying: int = 0
    bears: float = 0.0
    """How many at once it seems to bear now: halved where it says "too fast", grown by what it accepts."""
    closed_until: datetime | None = None
    reason: str = ""
    stops: int = 0
    slow: int = 0
    _pause: timedelta = timedelta(0)
    _refusal: str | None = None
    _refused: dict[str, Delivery] = field(default_factory=dict)
    _stopped_by: str | None = None
    _against_us: set[str] = field(default_factory=set)
    _too_fast_for: set[str] = field(default_factory=set)
    _too_fast_at: datetime | None = None

    def __post_init__(self) -> None:
        self.bears = self.bears or self.most_flying

    @property
    def unremarkable(self) -> bool:
        """Whether forgetting it would change nothing."""
        return not (self.flying or self.closed_until or self.slow or self._refused or self.bears < self.most_flying)

    def full(self) -> bool:
        return self.flying >= self.bears

    def closed(self, now: datetime) -> bool:
        return self.closed_until is not None and self.closed_until > now

    def close(self, until: datetime, reason: str) -> None:
        """Let nothing go before an hour, and then a single letter first."""
        self.closed_until, self.reason, self.bears = until, reason, 1.0

    def heed(self, until: datetime, reason: str) -> None:
        """Close as others found it, or we before a restart: who is refused in the same words is not refused for it."""
        self.close(until, reason)
        code, _, reply = reason.partition(" ")
        self._stopped_by = _general(code, reply)

    def reopen(self) -> None:
        """Others found it well."""
        self._well()

    def suspects(self, delivery: Delivery) -> bool:
        """Whether this one may yet turn out not to have been refused for its own sake."""
        return delivery.address in self._refused

    def hear(
        self, delivery: Delivery, outcome: Outcome, now: datetime, given_at: datetime | None = None
    ) -> list[Delivery]:
        """Learn from a reply; the deliveries, this one among them, that were not refused for their own sake.

        Closes the lane where it does not want us, or wants to be left alone. `given_at` (None: now) is when the letter
        was begun: all that were on their way when the lane first found us too fast are told so once.
        """
        if outcome.verdict is Verdict.ACCEPTED:
            self._well()
            return []
        if outcome.concern is Concern.PACE:
            self._too_fast(delivery, outcome, now, given_at or now)
        elif outcome.concern is Concern.US:
            self._against_us.add(delivery.address if outcome.by_relay else delivery.domain)
            if self._speaks_for_itself(self._against_us):
                self._stop(outcome, now)
        elif outcome.verdict is Verdict.REFUSED and outcome.code is not None:
            return self._refuse(delivery, outcome, now)
        return []

    def _well(self) -> None:
        self.bears = min(self.bears + 1, self.most_flying)
        self.closed_until, self.stops, self.slow, self._pause = None, 0, 0, timedelta(0)
        self._refusal = self._stopped_by = None
        self._refused.clear()
        self._against_us.clear()
        self._too_fast_for.clear()

    def _speaks_for_itself(self, domains: set[str]) -> bool:
        """Whether what is said of these is said by the lane: a relay passes on what a single domain says, too."""
        return self.name in domains or len(domains) >= _DOMAINS_ALIKE

    def _too_fast(self, delivery: Delivery, outcome: Outcome, now: datetime, given_at: datetime) -> None:
        if self._too_fast_at is not None and given_at < self._too_fast_at:
            return
        self._too_fast_at = now
        self.bears = max(min(self.bears, self.flying + 1) / 2, 1.0)
        self.slow += 1
        self._too_fast_for.add(delivery.domain)
        if self.slow >= _SLOW_RUN and self._speaks_for_itself(self._too_fast_for):
            self._pause = min(max(self._pause * 2, _FIRST_SLOW), _LONGEST_SLOW)
            self.close(now + self._pause, said(outcome))

    def _stop(self, outcome: Outcome, now: datetime) -> None:
        if not self.closed(now):
            self.stops += 1
        self.close(now + min(_FIRST_STOP * 2 ** min(self.stops - 1, 8), _LONGEST_STOP), said(outcome))

    def _refuse(self, delivery: Delivery, outcome: Outcome, now: datetime) -> list[Delivery]:
        words = _words(outcome, delivery)
        if words == self._stopped_by:
            self._stop(outcome, now)
            return [delivery]
        if delivery.attempts:
            return []  # told so a second time: it is about them
        if words != self._refusal:
            self._refusal = words
            self._refused.clear()
        self._refused[delivery.address] = delivery
        domains = {one.domain for one in self._refused.values()}
        if len(self._refused) < SAME_REFUSALS or not self._speaks_for_itself(domains):
            return []
        self._stop(outcome, now)
        self._stopped_by = words
        wronged = list(self._refused.values())
        self._refused.clear()
        return wronged


def said(outcome: Outcome) -> str:
    """The relay's words, with their code."""
    return f"{outcome.code} {outcome.reply}" if outcome.code else outcome.reply


def _words(outcome: Outcome, delivery: Delivery) -> str:
    """A refusal without what is different in each: the address, and numbers."""
    address = delivery.address.lower()
    return _general(outcome.code, outcome.reply.lower().replace(address, "").replace(address.split("@")[0], ""))


def _general(code: int | str | None, reply: str) -> str:
    return f"{code} " + "".join(one for one in reply.lower() if not one.isdigit())
