"""A delivery: one letter to one recipient, a row in the queue."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

MOST_RESENDS = 2
"""How often a letter with an unknown outcome is sent again, byte for byte, before it is parked as uncertain."""
NOTICES = 0
"""The campaign_id of all notices."""


class DeliveryState(StrEnum):
    """The state of a delivery. The audience of a campaign is the sum over all states."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    """Taken by a worker for a while; nothing has been sent."""
    HANDED = "handed"
    """About to be given to the relay, and recorded as such: from now on it may have been sent."""
    ACCEPTED = "accepted"
    """The relay answered 2xx."""
    DEFERRED = "deferred"
    """The relay answered 4xx, or the connection broke before it had the letter; waits for its next try."""
    FAILED = "failed"
    """The relay answered 5xx, or 4xx for a day and a half; never because of us."""
    SUPPRESSED = "suppressed"
    """The recipient left or is on the suppression list: never handed."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """It could not be handed before the event began."""
    UNCERTAIN = "uncertain"
    """Handed and never answered, after all resends: parked until an organiser decides."""


WAITING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)
OPEN = (*WAITING, DeliveryState.CLAIMED, DeliveryState.HANDED)
"""Not settled. A campaign with an open delivery is not "sent"."""
SETTLED = tuple(state for state in DeliveryState if state not in OPEN)
NEVER_HANDED = (DeliveryState.SUPPRESSED, DeliveryState.CANCELLED, DeliveryState.EXPIRED)
"""Settled without having been sent, unless it was being sent again."""


class Kind(StrEnum):
    """What a letter is: a campaign's, or one of the notices that the service writes itself."""

    CAMPAIGN = "campaign"
    CONFIRM = "confirm"
    UNCLEAR_ANSWER = "unclear"  # asks again, since the answer was neither yes nor no
    ALREADY_SUBSCRIBED = "already"
    WELCOME = "welcome"
    GOODBYE = "goodbye"
    HELP = "help"
    CONFIRM_LEAVING = "leaving"
    """Asks whether the person asked to leave."""
    SUBSCRIPTIONS = "which"
    """Lists the person's subscriptions, each with a link to unsubscribe."""
    LANGUAGE_CHANGED = "spoken"
    """Says that the person's letters come in another language from now on."""
    LIST_THROTTLED = "quiet"
    """Tells an owner that requests from unauthenticated senders are not answered for a while."""
    PROBE = "probe"
    """Says that letters bounced; if this one bounces too, nobody reads the mailbox."""
    PAUSED = "paused"
    """Tells an owner that a campaign, or its letters to one provider, was paused automatically."""
    WEEKLY = "weekly"
    """Tells an owner what needs attention."""
    SIGN_IN = "sign in"
    """Lets an organiser sign in to the console."""
    TEST = "test"
    """A campaign's letter, sent to an organiser or tester before the campaign is: see `trial_letter.py`."""
    FORWARDED = "wrapped"
    """A person's mail, forwarded to the list's owner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A letter that the service itself is to write."""

    kind: Kind
    address: str
    suppression_key: str
    language: str
    mailing_list_id: int | None = None
    subscription_id: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    """The few words the letter needs; nothing from a requester, except in FORWARDED (to the owner)."""
    cause: str | None = None
    """What it answers. A second notice with the same cause is not queued."""
    revision_id: int | None = None
    """The text of a TEST."""


def forwarding_cause(incoming_id: int, recipient: str) -> str:
    """The cause of the notice that forwards an incoming mail; `recipient` is our address it came to."""
    return f"incoming {incoming_id} {recipient}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A claimed delivery with all that its letter needs."""

    id: int
    campaign_id: int
    """0 for notices."""
    kind: Kind
    mailing_list_id: int | None
    subscription_id: int | None
    revision_id: int | None
    address: str
    suppression_key: str
    name: str | None
    language: str | None
    """The reader's own language, where known."""
    values: dict[str, Any]
    """A notice's words, or a campaign reader's attributes. For a repeat, those that the letter used the first time."""
    attempts: int
    resends: int
    queued_at: datetime
    dated_at: datetime | None
    """The letter's Date header: set when it is first handed, renewed only after a definite refusal."""
    claim_id: int = 0
    corrections: int | None = None
    """How often the campaign's text had been corrected when this was claimed; None for a repeat, which keeps its
    text."""
    resend: bool = True
    """Whether it is sent again when its outcome is unknown, or parked at once."""

    @property
    def domain(self) -> str:
        """The recipient's domain, lower case: the name of its lane."""
        return self.address.rpartition("@")[2].lower()


class Verdict(StrEnum):
    """The outcome of a letter that was handed."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """The connection broke after the whole letter was sent and before the answer came."""
    UNTRIED = "untried"
    """The connection ended, or the relay deferred us for its own reasons, before the letter was sent: not a try."""


class Decision(StrEnum):
    """What an organiser decides about letters with an unknown outcome."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    RESEND = "resend"


class Concern(StrEnum):
    """What a reply is about, apart from the letter it answers."""

    LETTER = "letter"
    """Only this letter and its recipient."""
    THROTTLE = "pace"
    """We send too fast for this lane, or the lane has temporary trouble of its own."""
    SENDER = "us"
    """Our name, address, credentials or reputation: every letter in this lane would be refused alike."""


@dataclass(frozen=True, slots=True)
class RelayOutcome:
    """What the relay answered to one letter."""

    verdict: Verdict
    code: int | None
    """SMTP reply code, where there was a reply."""
    reply: str
    concern: Concern = Concern.LETTER
    by_relay: bool = False
    """Whether the relay spoke about itself, so that it says nothing about recipient or destination."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryOutcome:
    """What is recorded about a letter that was handed."""

    delivery_id: int
    claim_id: int
    state: DeliveryState
    due_at: datetime | None
    """When to try again; None where the delivery is settled for good."""
    resends: int
    renew_date: bool
    """Whether the next try gets a new Date header: only after a definite refusal; else repeats are byte-identical."""
    code: int | None
    reply: str
    counts_as_try: bool = True
    """Whether this counts as one of the letter's tries."""
