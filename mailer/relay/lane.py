"""A lane: what the replies of one destination domain, or of one relay, tell about how much it takes now."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailer.domain.delivery import Concern, Delivery, RelayOutcome, Verdict

SAME_REFUSALS = 10
"""If so many different recipients in a row are refused with the same words, the refusals are not about them."""
_SAME_DOMAINS = 3
"""A relay's lane takes a reply as its own after so many domains in a row, or so many letters if the relay speaks for
itself; a domain's lane does so at once."""
_THROTTLE_RUN = 3
"""So many throttling replies in a row close the lane for a while."""
_FIRST_THROTTLE, _LONGEST_THROTTLE = timedelta(seconds=5), timedelta(minutes=10)
_FIRST_STOP, _LONGEST_STOP = timedelta(minutes=5), timedelta(hours=1)


@dataclass(slots=True, eq=False)
class Lane:
    """How many letters a destination or relay takes at once, and until when nothing is sent to it."""

    name: str
    max_in_flight: int
    """The most letters at once, when the lane is well."""
    in_flight: int = 0
    concurrency: float = 0.0
    """How many letters at once it takes now: halved by a throttling reply, raised by one with each accepted letter."""
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
        """Whether a new lane of this name would behave the same."""
        return not (
            self.in_flight
            or self.closed_until
            or self.throttle_count
            or self._refused
            or self.concurrency < self.max_in_flight
        )

    def full(self) -> bool:
        """Whether no more letters may be sent at once."""
        return self.in_flight >= self.concurrency

    def closed(self, now: datetime) -> bool:
        """Whether nothing is sent to it now."""
        return self.closed_until is not None and self.closed_until > now

    def close(self, until: datetime, reason: str) -> None:
        """Send nothing until this time, and then a single letter first."""
        self.closed_until, self.reason, self.concurrency = until, reason, 1.0

    def apply_hold(self, until: datetime, reason: str) -> None:
        """Close for a hold in the database, which another worker set, or this one before a restart.

        Recipients who are refused with the words of `reason` are then not refused for their own sake.
        """
        self.close(until, reason)
        code, _, reply = reason.partition(" ")
        self._stop_text = _normalise_reply(code, reply)

    def reopen(self) -> None:
        """Another worker lifted the hold: the lane is well."""
        self._reset()

    def is_suspect(self, delivery: Delivery) -> bool:
        """Whether the refusal of this delivery may be about us: fewer than SAME_REFUSALS got the same words so far."""
        return delivery.address in self._refused

    def record_outcome(
        self, delivery: Delivery, outcome: RelayOutcome, now: datetime, started_at: datetime | None = None
    ) -> list[Delivery]:
        """Learn from an outcome; returns the deliveries (perhaps this one) that were not refused for their own sake.

        Closes the lane if it refuses us or throttles us repeatedly. `started_at` (None: now) is when the letter was
        begun: throttling replies to letters begun before the last one took effect do not count again.
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
        """Whether a reply for these domains is the lane's own. A relay also passes on what a single domain says."""
        return self.name in domains or len(domains) >= _SAME_DOMAINS

    def _throttle(self, delivery: Delivery, outcome: RelayOutcome, now: datetime, started_at: datetime) -> None:
        if self._throttled_at is not None and started_at < self._throttled_at:
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
        text = _normalise_refusal(outcome, delivery)
        if text == self._stop_text:
            self._stop(outcome, now)
            return [delivery]
        if delivery.attempts:
            return []  # refused a second time: it is about the recipient
        if text != self._refusal_text:
            self._refusal_text = text
            self._refused.clear()
        self._refused[delivery.address] = delivery
        domains = {one.domain for one in self._refused.values()}
        if len(self._refused) < SAME_REFUSALS or not self._is_about_lane(domains):
            return []
        self._stop(outcome, now)
        self._stop_text = text
        wrongly_refused = list(self._refused.values())
        self._refused.clear()
        return wrongly_refused


def format_reply(outcome: RelayOutcome) -> str:
    """Reply code and text, in one string."""
    return f"{outcome.code} {outcome.reply}" if outcome.code else outcome.reply


def _normalise_refusal(outcome: RelayOutcome, delivery: Delivery) -> str:
    """A refusal without the recipient's address and without digits, so that equal refusals compare equal."""
    address = delivery.address.lower()
    return _normalise_reply(outcome.code, outcome.reply.lower().replace(address, "").replace(address.split("@")[0], ""))


def _normalise_reply(code: int | str | None, reply: str) -> str:
    return f"{code} " + "".join(one for one in reply.lower() if not one.isdigit())
