"""A lane: the way to one destination domain or through one relay, as far as its replies tell how it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailer.domain.delivery import Concern, Delivery, RelayOutcome, Verdict

SAME_REFUSALS = 10
"""So many different people refused in a row with the same words: it is not about them."""
_SAME_DOMAINS = 3
"""So many domains in a row of which the same is said: it is the relay that says it. Or so many letters, where the relay
speaks for itself."""
_THROTTLE_RUN = 3
"""So many "too fast" in a row: it wants to be left alone."""
_FIRST_THROTTLE, _LONGEST_THROTTLE = timedelta(seconds=5), timedelta(minutes=10)
_FIRST_STOP, _LONGEST_STOP = timedelta(minutes=5), timedelta(hours=1)


@dataclass(slots=True, eq=False)
class Lane:
    """What is known of a lane: how many letters it bears at once, and until when it is closed."""

    name: str
    max_in_flight: int
    """Letters on their way at once that it may bear, when all is well."""
    in_flight: int = 0
    concurrency: float = 0.0
    """How many at once it seems to bear now: halved where it says "too fast", grown by what it accepts."""
    closed_until: datetime | None = None
    reason: str = ""
    stops: int = 0
    throttle_count: int = 0
    _pause: timedelta = timedelta(0)
    _refusal_text: str | None = None
    _refused: dict[str, Delivery] = field(default_factory=dict)
    _stop_text: str | None = None
    _refused_sender_for: set[str] = field(default_factory=set)
    _throttled_for: set[str] = field(default_factory=set)
    _throttled_at: datetime | None = None

    def __post_init__(self) -> None:
        self.concurrency = self.concurrency or self.max_in_flight

    @property
    def is_forgettable(self) -> bool:
        """Whether forgetting it would change nothing."""
        return not (
            self.in_flight
            or self.closed_until
            or self.throttle_count
            or self._refused
            or self.concurrency < self.max_in_flight
        )

    def full(self) -> bool:
        return self.in_flight >= self.concurrency

    def closed(self, now: datetime) -> bool:
        return self.closed_until is not None and self.closed_until > now

    def close(self, until: datetime, reason: str) -> None:
        """Let nothing go before an hour, and then a single letter first."""
        self.closed_until, self.reason, self.concurrency = until, reason, 1.0

    def apply_hold(self, until: datetime, reason: str) -> None:
        """Close as others found it, or we before a restart: who is refused in the same words is not refused for it."""
        self.close(until, reason)
        code, _, reply = reason.partition(" ")
        self._stop_text = _normalise_reply(code, reply)

    def reopen(self) -> None:
        """Others found it well."""
        self._reset()

    def is_suspect(self, delivery: Delivery) -> bool:
        """Whether this one may yet turn out not to have been refused for its own sake."""
        return delivery.address in self._refused

    def record_outcome(
        self, delivery: Delivery, outcome: RelayOutcome, now: datetime, started_at: datetime | None = None
    ) -> list[Delivery]:
        """Learn from a reply; the deliveries, this one among them, that were not refused for their own sake.

        Closes the lane where it does not want us, or wants to be left alone. `given_at` (None: now) is when the letter
        was begun: all that were on their way when the lane first found us too fast are told so once.
        """
        if outcome.verdict is Verdict.ACCEPTED:
            self._reset()
            return []
        if outcome.concern is Concern.THROTTLE:
            self._throttle(delivery, outcome, now, started_at or now)
        elif outcome.concern is Concern.SENDER:
            self._refused_sender_for.add(delivery.address if outcome.by_relay else delivery.domain)
            if self._is_about_lane(self._refused_sender_for):
                self._stop(outcome, now)
        elif outcome.verdict is Verdict.REFUSED and outcome.code is not None:
            return self._record_refusal(delivery, outcome, now)
        return []

    def _reset(self) -> None:
        self.concurrency = min(self.concurrency + 1, self.max_in_flight)
        self.closed_until, self.stops, self.throttle_count, self._pause = None, 0, 0, timedelta(0)
        self._refusal_text = self._stop_text = None
        self._refused.clear()
        self._refused_sender_for.clear()
        self._throttled_for.clear()

    def _is_about_lane(self, domains: set[str]) -> bool:
        """Whether what is said of these is said by the lane: a relay passes on what a single domain says, too."""
        return self.name in domains or len(domains) >= _SAME_DOMAINS

    def _throttle(self, delivery: Delivery, outcome: RelayOutcome, now: datetime, given_at: datetime) -> None:
        if self._throttled_at is not None and given_at < self._throttled_at:
            return
        self._throttled_at = now
        self.concurrency = max(min(self.concurrency, self.in_flight + 1) / 2, 1.0)
        self.throttle_count += 1
        self._throttled_for.add(delivery.domain)
        if self.throttle_count >= _THROTTLE_RUN and self._is_about_lane(self._throttled_for):
            self._pause = min(max(self._pause * 2, _FIRST_THROTTLE), _LONGEST_THROTTLE)
            self.close(now + self._pause, format_reply(outcome))

    def _stop(self, outcome: RelayOutcome, now: datetime) -> None:
        if not self.closed(now):
            self.stops += 1
        self.close(now + min(_FIRST_STOP * 2 ** min(self.stops - 1, 8), _LONGEST_STOP), format_reply(outcome))

    def _record_refusal(self, delivery: Delivery, outcome: RelayOutcome, now: datetime) -> list[Delivery]:
        words = _normalise_refusal(outcome, delivery)
        if words == self._stop_text:
            self._stop(outcome, now)
            return [delivery]
        if delivery.attempts:
            return []  # told so a second time: it is about them
        if words != self._refusal_text:
            self._refusal_text = words
            self._refused.clear()
        self._refused[delivery.address] = delivery
        domains = {one.domain for one in self._refused.values()}
        if len(self._refused) < SAME_REFUSALS or not self._is_about_lane(domains):
            return []
        self._stop(outcome, now)
        self._stop_text = words
        wronged = list(self._refused.values())
        self._refused.clear()
        return wronged


def format_reply(outcome: RelayOutcome) -> str:
    """The relay's words, with their code."""
    return f"{outcome.code} {outcome.reply}" if outcome.code else outcome.reply


def _normalise_refusal(outcome: RelayOutcome, delivery: Delivery) -> str:
    """A refusal without what is different in each: the address, and numbers."""
    address = delivery.address.lower()
    return _normalise_reply(outcome.code, outcome.reply.lower().replace(address, "").replace(address.split("@")[0], ""))


def _normalise_reply(code: int | str | None, reply: str) -> str:
    return f"{code} " + "".join(one for one in reply.lower() if not one.isdigit())
