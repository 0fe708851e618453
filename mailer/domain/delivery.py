"""A delivery: one letter to one address, the row in the queue."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

MOST_RESENDS = 2
"""How often a letter whose fate is unknown is sent again, byte for byte, before it is parked."""
NOTICES = 0
"""The campaign_id of all notices."""


class DeliveryState(StrEnum):
    """Where a letter is; the audience of a campaign is the sum over these."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    """Taken by a worker for a while; nothing has left the house."""
    HANDED = "handed"
    """About to be given to the relay, durably noted: from here on it may have gone out."""
    ACCEPTED = "accepted"
    """The relay said 2xx."""
    DEFERRED = "deferred"
    """The relay said 4xx, or lost the line before it had the letter; waits for its next try."""
    FAILED = "failed"
    """The relay said 5xx, or 4xx for a day and a half; never for a reason of ours."""
    SUPPRESSED = "suppressed"
    """The person left, or stands on the suppression list: never handed."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """It could not be handed before the event's start."""
    UNCERTAIN = "uncertain"
    """Handed and never answered, resent twice: parked, known by name."""


WAITING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)
OPEN = (*WAITING, DeliveryState.CLAIMED, DeliveryState.HANDED)
"""Not settled: while one is open a campaign is not "sent"."""


class Kind(StrEnum):
    """What letter it is: a campaign's, or one of the notices the service writes itself."""

    CAMPAIGN = "campaign"
    CONFIRM = "confirm"
    UNCLEAR_ANSWER = "unclear"  # asks once more, since the answer said neither yes nor no
    ALREADY_SUBSCRIBED = "already"
    WELCOME = "welcome"
    GOODBYE = "goodbye"
    HELP = "help"
    CONFIRM_LEAVING = "leaving"
    """Asks whether it was the person who asked to leave."""
    SUBSCRIPTIONS = "which"
    """Which lists the person is on, each with its way out."""
    LANGUAGE_CHANGED = "spoken"
    """The person's letters come in another language from now on."""
    LIST_THROTTLED = "quiet"
    """Tells an owner that strangers are not answered for a while."""
    PROBE = "probe"
    """Says that letters came back; whether it does, too, shows whether anybody is there."""
    PAUSED = "paused"
    """Tells an owner that a campaign of hers stopped by itself, or its letters to one provider."""
    WEEKLY = "weekly"
    """Tells an owner what needs her."""
    FORWARDED = "wrapped"
    """A person's mail, carried to the list's owner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A letter the service itself is to write."""

    kind: Kind
    address: str
    suppression_key: str
    language: str
    mailing_list_id: int | None = None
    subscription_id: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    """The few words the letter needs; nothing a requester supplied, but for WRAPPED (to the owner)."""
    cause: str | None = None
    """What it answers, once: a second notice with the same cause is not written."""


def forwarding_cause(incoming_id: int, recipient: str) -> str:
    """The cause of the notice that carries a mail which came to one of our addresses."""
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
    """The reader's own, where known."""
    values: dict[str, Any]
    """A notice's few words; a campaign reader's attributes. Of a repeat, those that its letter used the first time."""
    attempts: int
    resends: int
    queued_at: datetime
    dated_at: datetime | None
    """The letter's Date: set when it is first handed, renewed only after a definite refusal."""
    claim_id: int = 0
    corrections: int | None = None
    """How often the campaign's text was corrected when this was claimed; None for a repeat, which keeps its own."""
    resend: bool = True
    """Whether it is sent again when nobody knows its fate, or parked at once."""

    @property
    def domain(self) -> str:
        """Where it goes: the name of its lane."""
        return self.address.rpartition("@")[2].lower()


class Verdict(StrEnum):
    """What became of a handed letter."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """The line broke after the whole letter was given and before the answer came."""
    UNTRIED = "untried"
    """The connection ended, or the relay put us off for its own sake, before the letter was given: no try."""


class Decision(StrEnum):
    """What people decide on letters of unknown fate."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    RESEND = "resend"


class Concern(StrEnum):
    """What a reply speaks of, besides the letter it answers."""

    LETTER = "letter"
    """This letter and its recipient, nobody else."""
    THROTTLE = "pace"
    """We come too fast for this lane, or it has trouble of its own for a while."""
    SENDER = "us"
    """Our name, address, credentials or standing: everybody's letter in this lane would be refused alike."""


@dataclass(frozen=True, slots=True)
class RelayOutcome:
    """The relay's word on one letter."""

    verdict: Verdict
    code: int | None
    """SMTP reply code, where there was a reply."""
    reply: str
    concern: Concern = Concern.LETTER
    by_relay: bool = False
    """Whether the relay spoke for itself, so that no recipient and no destination has a part in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryOutcome:
    """What the ledger writes down about a handed letter."""

    delivery_id: int
    claim_id: int
    state: DeliveryState
    due_at: datetime | None
    """When to try again; None where it is settled for good."""
    resends: int
    renew_date: bool
    """Whether the next try carries a new Date: only after a definite refusal, else repeats are byte-identical."""
    code: int | None
    reply: str
    counts_as_try: bool = True
    """Whether this counts among the letter's tries."""
