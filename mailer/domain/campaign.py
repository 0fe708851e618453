"""A campaign: one letter for many at an hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.errors import WrongState

MAX_DELAY = timedelta(hours=2)
"""A schedule missed by up to this is still sent; later it is parked, for people to decide."""


class CampaignState(StrEnum):
    """draft -> scheduled -> launching -> sending <-> paused -> sent / cancelled."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LAUNCHING = "launching"
    """Its audience is being frozen, chunk by chunk; then its letters are tried, where its text has conditions."""
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    """Nothing waits any more."""
    CANCELLED = "cancelled"


class WhenUncertain(StrEnum):
    """What becomes of a letter of which nobody knows whether it went out, after a crash or a broken line."""

    RESEND = "resend"
    """It is sent again, the same octets, at most twice; then parked."""
    PARK = "park"
    """It is parked at once, for people to decide."""


FINISHED = (CampaignState.SENT, CampaignState.CANCELLED)
CAN_BE_PAUSED = (CampaignState.LAUNCHING, CampaignState.SENDING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Campaign:
    """One campaign as the ledger has it. All times are UTC."""

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
    """The last subscription id whose delivery is written."""
    launch_ceiling: int | None
    """The highest subscription id at launch: later joiners are not in the audience. The cursor, once that is whole."""
    audience: int
    corrections: int
    """How often its text was corrected since it was written."""
    when_uncertain: str
    """What becomes of a letter that a crash left in doubt: "resend" (the same octets, at most twice) or "park"."""
    over_s: int | None
    """Over how many seconds the blast is spread; None is as fast as it goes."""
    anyway: bool
    """Whether it goes out though the settings still hold samples: people said so."""
    remark: str | None
    """Why it was parked, for people to read."""

    @property
    def is_frozen(self) -> bool:
        """Whether its audience is complete."""
        return self.launch_ceiling is not None and self.launch_cursor >= self.launch_ceiling


def check_state(campaign: Campaign, *, allowed: tuple[CampaignState, ...], action: str) -> None:
    """WrongState unless the campaign is in one of the `allowed` states; says what only those `may`."""
    if campaign.state not in allowed:
        first = ": pause it first" if campaign.state in CAN_BE_PAUSED and CampaignState.PAUSED in allowed else ""
        raise WrongState(
            f"campaign {campaign.id} is {campaign.state}{first}; only one that is {_join_states(allowed)} can {action}"
        )


def check_move(campaign: Campaign, to: CampaignState, *, allowed: tuple[CampaignState, ...]) -> None:
    """WrongState unless the campaign is in one of the `allowed` states."""
    if campaign.state not in allowed:
        raise WrongState(
            f"campaign {campaign.id} is {campaign.state}; only one that is {_join_states(allowed)} can become {to}"
        )


def _join_states(states: tuple[CampaignState, ...]) -> str:
    return " or ".join(filter(None, (", ".join(states[:-1]), states[-1])))


def reason_not_to_launch(campaign: Campaign, now: datetime) -> str | None:
    """Why a due campaign must not be launched any more, or None when it may."""
    if campaign.event_starts_at is not None and now >= campaign.event_starts_at:
        return "not sent: its event has begun"
    if campaign.scheduled_at is not None and now - campaign.scheduled_at > MAX_DELAY:
        return f"not sent: its hour was missed by more than {MAX_DELAY.seconds // 3600} hours"
    return None
