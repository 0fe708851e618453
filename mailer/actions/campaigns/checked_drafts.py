"""CheckedDrafts: a campaign's drafts as they are at one instant, with all their problems."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.actions.campaigns.new_campaign import event_start_time
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.draft import Draft, campaign_digest
from mailer.domain.letters.archive_paths import own_letter_path
from mailer.domain.mailing_list import MailingList
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import CampaignFile, parse_campaign_file
from mailer.mail.compose.letter_fields import LetterFields, fields_or_none, is_untranslated
from mailer.mail.compose.letter_resources import LetterResources
from mailer.mail.compose.problem import Problem, ProblemSeverity, Rule
from mailer.mail.webmention.citation import citation_key
from mailer.store import mailing_lists
from mailer.store.letters import letter_sources
from mailer.store.writing import drafts, readers

_READERS_LOOKED_AT = 500
"""Of whom the names of values are known."""
_EVENT_FIXED = (CampaignState.LAUNCHING, CampaignState.SENDING, CampaignState.PAUSED)


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignDrafts:
    """A campaign with its list and drafts, as one transaction read them."""

    campaign: Campaign
    mailing_list: MailingList
    drafts: tuple[Draft, ...]
    """The default edition first."""
    known_values: frozenset[str] | None
    """The names of the values that readers have; None where there is no reader."""
    resources: LetterResources
    """Everything that the drafts name."""

    @property
    def languages(self) -> list[str]:
        """The editions' language tags, the default one first."""
        return [one.language for one in self.drafts]

    @property
    def texts(self) -> dict[str, str]:
        """The texts by language."""
        return {one.language: one.text for one in self.drafts}

    @property
    def sent(self) -> list[str]:
        """The languages of the editions that are sent."""
        return [one for one in self.languages if self.campaign.sends(one)]

    @property
    def digest(self) -> str:
        """What an approval of the texts that are sent is of."""
        return campaign_digest({tag: text for tag, text in self.texts.items() if self.campaign.sends(tag)})

    @property
    def whole_digest(self) -> str:
        """Of all texts, whether they are sent or not."""
        return campaign_digest(self.texts)


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedDrafts:
    """Drafts and what is wrong with them."""

    loaded: CampaignDrafts
    problems: dict[str, tuple[Problem, ...]]
    """By language, errors first."""
    files: dict[str, CampaignFile]
    """The texts that have no error, parsed, by language, the default edition first."""

    def of_severity(
        self, severity: ProblemSeverity, languages: Collection[str] | None = None
    ) -> tuple[tuple[str, Problem], ...]:
        """(language, problem) of these editions; None: of all."""
        return tuple(
            (language, one)
            for language, found in self.problems.items()
            if languages is None or language in languages
            for one in found
            if one.severity is severity
        )

    def require_no_error(self, languages: Collection[str] | None = None) -> None:
        """Raise CampaignFileRefused with the language and the line of the first error of these editions."""
        for language, one in self.of_severity(ProblemSeverity.ERROR, languages):
            where = f"{language}, line {one.line}" if one.line else language
            raise CampaignFileRefused(f"{where}: {one.message}")

    def first_file(self, languages: Collection[str] | None = None) -> CampaignFile:
        """The text of the first of these editions, the default one where it is among them, parsed; it has no error."""
        return next(file for language, file in self.files.items() if languages is None or language in languages)


def load_drafts(tx: Connection, actor: Actor, permission: Permission, campaign_id: int) -> CampaignDrafts:
    """The drafts of a campaign, if the actor has the permission on its list. Raises NotFound, NotPermitted."""
    campaign = load_campaign(tx, actor, permission, campaign_id)
    mailing_list = mailing_lists.get(tx, campaign.mailing_list_id)
    found = tuple(drafts.list_drafts(tx, campaign_id))
    known = None
    if any("{" in one.text for one in found):
        known = readers.attribute_names(tx, mailing_list.id, _READERS_LOOKED_AT)
    return CampaignDrafts(
        campaign=campaign,
        mailing_list=mailing_list,
        drafts=found,
        known_values=known,
        resources=letter_sources.load_resources(
            tx, [one.text for one in found], campaign_id, languages=[one.language for one in found]
        ),
    )


async def check_drafts(app: App, actor: Actor, permission: Permission, campaign_id: int) -> CheckedDrafts:
    """The drafts of a campaign with all their problems. Raises NotFound, NotPermitted."""
    return await check_loaded(app, await app.database.read(load_drafts, actor, permission, campaign_id))


async def check_loaded(app: App, loaded: CampaignDrafts) -> CheckedDrafts:
    """These drafts with all their problems."""
    return await asyncio.to_thread(_check, app, loaded)


def problems_of(app: App, loaded: CampaignDrafts, language: str, text: str) -> tuple[Problem, ...]:
    """All problems of a text for one edition, by itself. Takes a few milliseconds for a new text."""
    identity = app.list_identity(loaded.mailing_list)
    return app.draft_cache.problems(
        text, language, identity, app.templates, loaded.campaign.id, loaded.resources, loaded.known_values
    )


def _check(app: App, loaded: CampaignDrafts) -> CheckedDrafts:
    default = fields_or_none(loaded.drafts[0].text)
    problems = {
        one.language: (
            *problems_of(app, loaded, one.language, one.text),
            *_untranslated_problem(one, default),
            *_stale_problem(one, loaded.drafts[0]),
            *_citation_problem(app, loaded.resources, one),
        )
        for one in loaded.drafts
    }
    files = {
        one.language: parse_campaign_file(one.text, one.language)
        for one in loaded.drafts
        if all(problem.severity is not ProblemSeverity.ERROR for problem in problems[one.language])
    }
    added = _event_problems(loaded.campaign, files)
    together = {language: (*added.get(language, ()), *found) for language, found in problems.items()}
    without = {language: file for language, file in files.items() if language not in added}
    return CheckedDrafts(loaded=loaded, problems=together, files=without)


def _citation_problem(app: App, resources: LetterResources, draft: Draft) -> tuple[Problem, ...]:
    fields = fields_or_none(draft.text)
    url = fields.answers_url if fields else ""
    if not url.startswith(f"{app.site.url}/"):
        return ()
    letter = own_letter_path(app.site.url, url)
    if letter is not None and citation_key(letter.list_name, letter.campaign_id) in resources.cited_titles:
        return ()
    message = "it answers a page of this site that is no letter for everybody: name the page of one in a public archive"
    rule, severity = Rule.NOT_PUBLIC, ProblemSeverity.WARNING
    return (Problem(line=None, field="answers", severity=severity, rule=rule, message=message),)


def _untranslated_problem(draft: Draft, default: LetterFields | None) -> tuple[Problem, ...]:
    fields = None if draft.is_default else fields_or_none(draft.text)
    if fields is None or not is_untranslated(fields, default):
        return ()
    message = "its text is still that of the default edition"
    return (Problem(line=None, field="", severity=ProblemSeverity.WARNING, rule=Rule.UNTRANSLATED, message=message),)


def _stale_problem(draft: Draft, default: Draft) -> tuple[Problem, ...]:
    if not draft.is_older_than(default):
        return ()
    message = f"{default.language} was changed after this edition; bring {draft.language} up to date, then say so"
    return (Problem(line=None, field="", severity=ProblemSeverity.WARNING, rule=Rule.STALE, message=message),)


def _event_problems(campaign: Campaign, files: dict[str, CampaignFile]) -> dict[str, Sequence[Problem]]:
    starts = {language: event_start_time(file) for language, file in files.items()}
    first = next(iter(starts.values()), None)
    found: dict[str, Sequence[Problem]] = {}
    for language, at in starts.items():
        if campaign.state in _EVENT_FIXED and at != campaign.event_starts_at:
            found[language] = [_event_problem("a correction cannot move the event, a new campaign can")]
        elif at != first:
            found[language] = [_event_problem("the editions do not agree on when the event starts")]
    return found


def _event_problem(message: str) -> Problem:
    return Problem(line=None, field="event", severity=ProblemSeverity.ERROR, rule=Rule.FILE, message=message)
