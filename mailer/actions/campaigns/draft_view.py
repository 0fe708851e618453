"""What pages show of a draft: its text and fields, and how the campaign's other editions stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailer.actions.campaigns.checked_drafts import CampaignDrafts, CheckedDrafts
from mailer.domain.campaign import Campaign
from mailer.domain.draft import Approval, Draft, EditionStatus, text_digest
from mailer.domain.letters.edition_approval import approvals_of
from mailer.domain.letters.edition_choice import Fallback, ReaderGroup, choose_edition, count_by_edition
from mailer.domain.mailing_list import MailingList
from mailer.mail.compose.letter_fields import LetterFields, fields_or_none, is_untranslated
from mailer.mail.compose.problem import Problem, ProblemSeverity


@dataclass(frozen=True, kw_only=True, slots=True)
class EditionView:
    """How one edition of a campaign stands."""

    language: str
    is_default: bool
    version: int
    status: EditionStatus
    errors: int
    """Mistakes for which it cannot be sent."""
    is_frozen: bool
    """Whether letters have this text; else it is frozen when the campaign is scheduled, tested or approved."""
    is_sent: bool
    """Whether the campaign is sent to its readers; else they wait."""
    digest: str
    """Of its text: give it to `approve`."""
    changed_by: str
    """Who wrote it last."""
    approved_by: tuple[str, ...]
    """Who agrees to its text as it is, by approvals that count."""
    groups: tuple[ReaderGroup, ...]
    """Whose edition it is, by the readers' own language, the most first."""

    @property
    def readers(self) -> int:
        """How many people's edition it is."""
        return sum(one.readers for one in self.groups)


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftView:
    """One edition of a campaign as it is being written."""

    campaign: Campaign
    mailing_list: MailingList
    language: str
    is_default: bool
    version: int
    """Give it to `save_draft`."""
    text: str
    fields: LetterFields | None
    """None if the front matter cannot be read: then only the whole text can be edited."""
    changed_at: datetime
    changed_by: str
    editions: tuple[EditionView, ...]
    """All editions of the campaign, the default one first."""
    missing: dict[str, int]
    """Readers whose language has no edition, by language; they get the edition `otherwise`."""
    otherwise: str
    """The edition of those whose language has none or is not known."""
    problems: tuple[Problem, ...]
    """All problems of this text, errors first."""
    may_write: bool
    """Whether the actor may save this text now."""

    @property
    def languages(self) -> list[str]:
        """The editions' language tags, the default one first."""
        return [one.language for one in self.editions]

    @property
    def edition(self) -> EditionView:
        """How this edition stands."""
        return next(one for one in self.editions if one.language == self.language)


def view_editions(
    checked: CheckedDrafts, readers_by_language: Mapping[str, int], approvals: Sequence[Approval]
) -> tuple[EditionView, ...]:
    """How each edition stands, the default one first; `readers_by_language` has "" where that is not known."""
    drafts = checked.loaded.drafts
    default = drafts[0]
    counted = count_by_edition(readers_by_language, checked.loaded.languages, checked.loaded.mailing_list.language)
    return tuple(
        EditionView(
            language=one.language,
            is_default=one.is_default,
            version=one.version,
            status=_status(one, default, errors := _number_of_errors(checked, one.language)),
            errors=errors,
            is_frozen=one.is_frozen,
            is_sent=checked.loaded.campaign.sends(one.language),
            digest=text_digest(one.text),
            changed_by=one.changed_by,
            approved_by=tuple(dict.fromkeys(given.approved_by for given in approvals_of(one, approvals))),
            groups=readers.groups,
        )
        for one, readers in zip(drafts, counted, strict=True)
    )


def missing_editions(editions: Iterable[EditionView]) -> dict[str, int]:
    """Readers whose language is known and has no edition, by language, the most first."""
    groups = [group for one in editions for group in one.groups]
    missing = {
        one.language: one.readers
        for one in groups
        if one.language and one.fallback in (Fallback.LIST, Fallback.DEFAULT)
    }
    return dict(sorted(missing.items(), key=lambda one: (-one[1], one[0])))


def edition_otherwise(loaded: CampaignDrafts) -> str:
    """The language of the edition for those whose language has none or is not known."""
    return choose_edition(None, loaded.languages, loaded.mailing_list.language).language


def _number_of_errors(checked: CheckedDrafts, language: str) -> int:
    return sum(one.severity is ProblemSeverity.ERROR for one in checked.problems[language])


def _status(draft: Draft, default: Draft, errors: int) -> EditionStatus:
    fields = fields_or_none(draft.text)
    if fields is not None and not (fields.subject and fields.body.strip()):
        return EditionStatus.EMPTY
    if fields is not None and not draft.is_default and is_untranslated(fields, fields_or_none(default.text)):
        return EditionStatus.EMPTY
    if errors:
        return EditionStatus.PROBLEMS
    if draft.is_older_than(default):
        return EditionStatus.STALE
    return EditionStatus.READY
