"""What people look at before a campaign is scheduled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailer.actions.campaigns.checked_drafts import CampaignDrafts, CheckedDrafts, check_loaded, load_drafts
from mailer.actions.campaigns.draft_view import EditionView, edition_otherwise, missing_editions, view_editions
from mailer.actions.campaigns.send_test import TrialLetter, view_tests
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.audience_count import AudienceCount
from mailer.domain.campaign import Campaign
from mailer.domain.draft import Approval
from mailer.domain.letters.edition_approval import unapproved_languages
from mailer.domain.mailing_list import MailingList
from mailer.domain.proposed_time import propose_time
from mailer.mail.compose.letter_fields import fields_or_none
from mailer.mail.compose.problem import Problem, ProblemSeverity
from mailer.store import campaigns
from mailer.store.counts import audience_counts
from mailer.store.writing import approvals


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewView:
    """A campaign as it would be sent, what speaks against it, and what is still needed."""

    campaign: Campaign
    mailing_list: MailingList
    digest: str
    """Of all texts: give it to `schedule` and `approve`, so that only what was looked at is agreed to."""
    subject: str
    editions: tuple[EditionView, ...]
    readers: int
    """How many people a launch would write to now."""
    is_at_most: bool
    """Whether some of those were mailed before and get nothing; how many, is not counted on a large list."""
    missing: dict[str, int]
    """Readers whose language has no edition, by language; they get the edition `otherwise`."""
    otherwise: str
    """The edition of those whose language has none or is not known."""
    excluded: dict[str, int]
    """Who gets nothing, by why: pending, suppressed, left."""
    counted_at: datetime
    errors: tuple[tuple[str, Problem], ...]
    """(language, problem) of the editions that are sent: each forbids scheduling."""
    warnings: tuple[tuple[str, Problem], ...]
    """(language, problem): give the keys of those that are meant so to `schedule`."""
    approvals: tuple[Approval, ...]
    """The newest first."""
    is_approved: bool
    """Whether the actor may schedule as far as approvals go: none is needed, or another's is valid."""
    tests: tuple[TrialLetter, ...]
    texts_differ: bool
    """Whether drafts differ from the texts that letters have now: for a scheduled or paused campaign, what is sent
    until it is scheduled again or corrected."""
    suggested_local_time: str
    """An hour to propose, ISO 8601 without seconds, in `suggested_zone`."""
    suggested_zone: str
    letters_per_second: float | None
    """At what rate the list's last campaign went; None if there is none."""

    @property
    def languages(self) -> list[str]:
        """The editions' language tags, the default one first."""
        return [one.language for one in self.editions]

    @property
    def needs_approval(self) -> bool:
        """Whether the list asks for another's approval."""
        return self.mailing_list.needs_approval

    def duration(self) -> timedelta | None:
        """How long sending may take, as far as the last campaign tells."""
        if self.letters_per_second is None:
            return None
        return timedelta(seconds=self.readers / self.letters_per_second)


async def review(app: App, actor: Actor, campaign_id: int) -> ReviewView:
    """Everything to decide on before a campaign is scheduled. Raises NotFound, NotPermitted."""

    def read(tx: Connection) -> _Facts:
        loaded = load_drafts(tx, actor, Permission.READ, campaign_id)
        return _Facts(
            loaded=loaded,
            audience=audience_counts.load_for(tx, loaded.campaign, app.clock()),
            approvals=tuple(approvals.list_newest(tx, campaign_id, loaded.texts, loaded.sent)),
            tests=view_tests(tx, actor, loaded),
            last=campaigns.last_of_list(tx, loaded.mailing_list.id, campaign_id),
        )

    facts = await app.database.read(read)
    return _view(app, actor, facts, await check_loaded(app, facts.loaded))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Facts:
    loaded: CampaignDrafts
    audience: AudienceCount
    approvals: tuple[Approval, ...]
    tests: tuple[TrialLetter, ...]
    last: Campaign | None


def _view(app: App, actor: Actor, facts: _Facts, checked: CheckedDrafts) -> ReviewView:
    loaded, last = facts.loaded, facts.last
    fields = fields_or_none(loaded.drafts[0].text)
    proposed = propose_time(loaded.campaign, last, loaded.mailing_list.zone, app.clock())
    editions = view_editions(checked, facts.audience.languages, facts.approvals)
    sent = [one for one in loaded.drafts if loaded.campaign.sends(one.language)]
    return ReviewView(
        campaign=loaded.campaign,
        mailing_list=loaded.mailing_list,
        digest=loaded.digest,
        subject=fields.subject if fields else loaded.campaign.subject,
        editions=editions,
        readers=sum(one.readers for one in editions if one.is_sent),
        is_at_most=facts.audience.is_at_most,
        missing=missing_editions(editions),
        otherwise=edition_otherwise(loaded),
        excluded=facts.audience.excluded,
        counted_at=facts.audience.counted_at,
        errors=checked.of_severity(ProblemSeverity.ERROR, loaded.campaign.languages),
        warnings=checked.of_severity(ProblemSeverity.WARNING, loaded.campaign.languages),
        approvals=facts.approvals,
        is_approved=not (
            loaded.mailing_list.needs_approval and unapproved_languages(sent, facts.approvals, actor.name)
        ),
        tests=facts.tests,
        texts_differ=any(not one.is_frozen for one in editions if one.is_sent),
        suggested_local_time=proposed.local_time.isoformat(timespec="minutes"),
        suggested_zone=proposed.zone,
        letters_per_second=_rate(last),
    )


def _rate(last: Campaign | None) -> float | None:
    """Letters a second of a campaign that is over and was not spread."""
    if last is None or last.launched_at is None or last.finished_at is None or last.over_s:
        return None
    seconds = (last.finished_at - last.launched_at).total_seconds()
    return last.audience / seconds if seconds > 0 and last.audience else None
