"""Needs: what needs somebody today; and the first steps of a new installation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailer.domain.campaign import Campaign
from mailer.domain.mailing_list import MailingList


class NeedKind(StrEnum):
    """Why somebody is needed; the gravest first."""

    CHECK_FAILED = "check failed"
    """A check of the service failed: `check` and `remark` say what, for site owners alone."""
    CAMPAIGN_PAUSED = "campaign paused"
    CAMPAIGN_LATE = "campaign late"
    """Its hour is past, and it has not begun."""
    CAMPAIGN_PARKED = "campaign parked"
    """It was not launched, and is a draft again."""
    LETTERS_UNCERTAIN = "letters uncertain"
    """`number` letters of which nobody knows whether they arrived."""
    APPROVAL_ASKED = "approval asked"
    LIST_THROTTLED = "list throttled"
    """The list answers no requests of unauthenticated senders until `until`."""
    MAILS_PARKED = "mails parked"
    """`number` incoming mails failed to be processed three times."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """One thing that needs somebody."""

    kind: NeedKind
    since: datetime | None = None
    """None where it is not known."""
    until: datetime | None = None
    campaign: Campaign | None = None
    mailing_list: MailingList | None = None
    number: int = 0
    check: str = ""
    remark: str = ""
    """Why, in English, as the service noted it."""
    remedy: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstSteps:
    """How far a new installation has come, as facts say it; each step is worth nothing without those before."""

    sending_works: bool | None
    """None until it has been checked."""
    has_list: bool
    has_people: bool
    """Whether somebody on a list has confirmed."""
    has_draft: bool
    """Whether a first letter is being written, or has its hour."""

    @property
    def left(self) -> int:
        """How many of the four are still to do; the last is done once a letter has gone, and then nobody asks."""
        return 4 - sum((self.sending_works is True, self.has_list, self.has_people))
