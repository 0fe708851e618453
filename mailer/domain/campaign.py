"""A campaign: one letter to all confirmed subscribers of a list, sent at a set time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.errors import WrongState

MAX_DELAY = timedelta(hours=2)
"""A campaign that is late by up to this is still launched; a later one is parked until an organiser decides."""


class CampaignState(StrEnum):
    """draft -> scheduled -> launching -> sending <-> paused -> sent / cancelled."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LAUNCHING = "launching"
    """Its audience is being frozen, chunk by chunk; then its letters are checked, if its text has conditions."""
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    """No delivery is open any more."""
    CANCELLED = "cancelled"


class WhenUncertain(StrEnum):
    """What becomes of a letter whose outcome is unknown after a crash or a broken connection."""

    RESEND = "resend"
    """It is sent again, the same octets, at most twice; then it is parked."""
    PARK = "park"
    """It is parked at once, until an organiser decides."""


LONGEST_REASON = 500
"""Characters that are kept of a reason to send a campaign all the same."""
FINISHED = (CampaignState.SENT, CampaignState.CANCELLED)
CAN_BE_PAUSED = (CampaignState.LAUNCHING, CampaignState.SENDING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Campaign:
    """A campaign as the database has it. All times are UTC."""

    id: int
    mailing_list_id: int
    state: CampaignState
    subject: str
    event_starts_at: datetime | None
    scheduled_at: datetime | None
    local_time: str | None
    zone: str | None
    launched_at: datetime | None
    launch_cursor: int
    """The last subscription id whose delivery has been written."""
    launch_ceiling: int | None
    """The highest subscription id at launch: later subscribers are not in the audience. Equals the cursor when all is
    written."""
    audience: int
    corrections: int
    """How often its text has been corrected."""
    when_uncertain: str
    """A WhenUncertain value: "resend" or "park"."""
    over_s: int | None
    """Over how many seconds sending is spread; None for as fast as possible."""
    anyway: bool
    """Whether it is sent although the settings still hold samples: an organiser said so."""
    remark: str | None
    """Why it was parked or paused, for organisers to read; it may name a reader."""
    stopped_at: datetime | None = None
    """When it was last paused or parked; None for one that a version before 0.6 stopped."""
    finished_at: datetime | None = None
    archived: bool | None = None
    """Whether its letter is in the list's archive; None: as the list has it."""
    languages: tuple[str, ...] | None = None
    """Only readers who get one of these editions get it; None: readers of all editions."""
    not_mailed_by: int | None = None
    """Who was, or may have been, mailed by this campaign gets nothing; None: everybody does."""
    anyway_reason: str | None = None
    """Why it was scheduled although a check before the launch was against it, in an organiser's words."""
    checked_at: datetime | None = None
    """When it passed the check at its launch; None if it has not."""

    def sends(self, language: str) -> bool:
        """Whether the readers of the edition in this language get it."""
        return self.languages is None or language in self.languages

    @property
    def has_whole_audience(self) -> bool:
        """Whether nobody more will be written to."""
        return self.is_frozen or self.state in FINISHED

    @property
    def is_frozen(self) -> bool:
        """Whether its audience is complete."""
        return self.launch_ceiling is not None and self.launch_cursor >= self.launch_ceiling


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignFilter:
    """Which campaigns to list; every condition holds."""

    states: frozenset[CampaignState] = frozenset()
    """Empty: any state."""
    list_name: str = ""
    """Empty: any list."""
    words: str = ""
    """What the subject contains; case and accents do not matter."""


def check_state(campaign: Campaign, *, allowed: tuple[CampaignState, ...], action: str) -> None:
    """Raise WrongState unless the campaign is in one of the `allowed` states; `action` is what only those can do."""
    if campaign.state not in allowed:
        first = ": pause it first" if campaign.state in CAN_BE_PAUSED and CampaignState.PAUSED in allowed else ""
        raise WrongState(
            f"campaign {campaign.id} is {campaign.state}{first}; only one that is {_join_states(allowed)} can {action}"
        )


def check_move(campaign: Campaign, to: CampaignState, *, allowed: tuple[CampaignState, ...]) -> None:
    """Raise WrongState unless the campaign is in one of the `allowed` states, from which it can become `to`."""
    if campaign.state not in allowed:
        raise WrongState(
            f"campaign {campaign.id} is {campaign.state}; only one that is {_join_states(allowed)} can become {to}"
        )


def check_reason(text: str | None) -> str | None:
    """The reason why a campaign is sent all the same, on one line; None for None. Raises WrongState if it is empty."""
    if text is None:
        return None
    if not (reason := " ".join(text.split())[:LONGEST_REASON]):
        raise WrongState("say in a few words why it is sent all the same")
    return reason


def _join_states(states: tuple[CampaignState, ...]) -> str:
    return " or ".join(filter(None, (", ".join(states[:-1]), states[-1])))


def reason_not_to_launch(campaign: Campaign, now: datetime) -> str | None:
    """Why a due campaign must not be launched any more, or None when it may be."""
    if campaign.event_starts_at is not None and now >= campaign.event_starts_at:
        return "not sent: its event has begun"
    if campaign.scheduled_at is not None and now - campaign.scheduled_at > MAX_DELAY:
        return f"not sent: it is late by more than {MAX_DELAY.seconds // 3600} hours"
    return None
