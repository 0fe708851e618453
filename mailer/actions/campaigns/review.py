"""What people look at before a campaign is scheduled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailer.actions.campaigns.draft_view import EditionView
from mailer.actions.campaigns.send_test import TestLetter
from mailer.app import App
from mailer.domain.actor import Actor
from mailer.domain.campaign import Campaign
from mailer.domain.draft import Approval
from mailer.domain.mailing_list import MailingList
from mailer.mail.compose.problem import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewView:
    """A campaign as it would be sent, what speaks against it, and what is still needed."""

    campaign: Campaign
    mailing_list: MailingList
    subject: str
    editions: tuple[EditionView, ...]
    readers: int
    """How many people a launch would write to now."""
    missing: dict[str, int]
    """Readers whose language has no edition, by language."""
    excluded: dict[str, int]
    """Who gets nothing, by why: pending, suppressed, left."""
    counted_at: datetime
    errors: tuple[tuple[str, Problem], ...]
    """(language, problem): each forbids scheduling."""
    warnings: tuple[tuple[str, Problem], ...]
    """(language, problem): give the keys of those that are meant so to `schedule`."""
    needs_approval: bool
    approvals: tuple[Approval, ...]
    """The newest first."""
    is_approved: bool
    """Whether the actor may schedule as far as approvals go: none is needed, or another's is valid."""
    tests: tuple[TestLetter, ...]
    texts_differ: bool
    """Whether drafts differ from the texts that letters have now: for a scheduled or paused campaign, what is sent
    until it is scheduled again or corrected."""
    suggested_local_time: str
    """An hour to propose, ISO 8601 without seconds, in `suggested_zone`."""
    suggested_zone: str
    letters_per_second: float | None
    """At what rate the list's last campaign went; None if there is none."""

    def duration(self) -> timedelta | None:
        """How long sending may take, as far as the last campaign tells."""
        if self.letters_per_second is None:
            return None
        return timedelta(seconds=self.readers / self.letters_per_second)


async def review(app: App, actor: Actor, campaign_id: int) -> ReviewView:
    """Everything to decide on before a campaign is scheduled. Raises NotFound, NotPermitted."""
    raise NotImplementedError
