"""Replaces the texts of a campaign's letters, before it is launched or while it is paused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.campaigns.approve import require_reviewed
from mailer.actions.campaigns.campaign_access import load_campaign, record_act
from mailer.actions.campaigns.checked_drafts import CheckedDrafts
from mailer.actions.campaigns.drafts import write_draft
from mailer.actions.campaigns.freeze_drafts import freeze, require_approval, with_checked_drafts
from mailer.actions.campaigns.new_campaign import event_start_time, parse_editions
from mailer.actions.delivery.letter_making import describe_making
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign, CampaignState, check_state
from mailer.domain.draft import text_digest
from mailer.domain.mailing_list import MailingList
from mailer.errors import CampaignFileRefused, WrongState
from mailer.mail.compose.campaign_file import CampaignFile
from mailer.mail.compose.front_matter import normalize_line_ends
from mailer.store import campaigns, mailing_lists, revisions
from mailer.store.writing import drafts

_CAN_ADD_EDITION = (CampaignState.DRAFT, CampaignState.SCHEDULED)
_CAN_BE_CORRECTED = (*_CAN_ADD_EDITION, CampaignState.PAUSED)
_CAN_GET_DRAFTS = (CampaignState.SCHEDULED, CampaignState.PAUSED)


@dataclass(frozen=True, slots=True)
class CorrectionResult:
    """A corrected campaign, and the languages of the editions that were replaced or added."""

    campaign: Campaign
    languages: tuple[str, ...]


async def correct(app: App, actor: Actor, campaign_id: int, texts: Mapping[str, str]) -> CorrectionResult:
    """Replace editions by these texts (by file name), each in its language; every letter handed from now on has them.

    The drafts get them, too. That includes letters that are rendered and not handed, and refused ones that wait. A
    letter of uncertain outcome is resent unchanged. The texts are checked like those of a new campaign.

    Raises CampaignFileRefused with file and line, also if the event would start at another time; NotFound; WrongState
    unless the campaign is a draft, scheduled or paused, or if a new edition comes after the launch; NotPermitted
    unless the actor may write, and also send where it is not a draft.
    """

    def load_list(tx: Connection) -> MailingList:
        campaign = _load_correctable(tx, actor, campaign_id)
        return mailing_lists.get(tx, campaign.mailing_list_id)

    manuscripts = await parse_editions(app, await app.database.read(load_list), texts)
    corrected = await app.database.write(_correct, app, actor, campaign_id, manuscripts, list(texts.values()))
    return CorrectionResult(corrected, tuple(one.language for one in manuscripts))


def _load_correctable(tx: Connection, actor: Actor, campaign_id: int, *, lock: bool = False) -> Campaign:
    campaign = load_campaign(tx, actor, Permission.WRITE, campaign_id, lock=lock)
    if campaign.state is not CampaignState.DRAFT:
        actor.require(Permission.SEND, campaign.mailing_list_id)
    check_state(campaign, allowed=_CAN_BE_CORRECTED, action="be corrected")
    return campaign


def _correct(
    tx: Connection,
    app: App,
    actor: Actor,
    campaign_id: int,
    manuscripts: Sequence[CampaignFile],
    texts: Sequence[str],
) -> Campaign:
    # While the row is locked no letter passes the gate; afterwards none with the old text does.
    campaign = _load_correctable(tx, actor, campaign_id, lock=True)
    mailing_list = mailing_lists.get(tx, campaign.mailing_list_id)
    _check_event(campaign, manuscripts[0])
    if mailing_list.needs_approval and campaign.state is not CampaignState.DRAFT:
        raise WrongState(
            "this list asks for another's approval: change the drafts in the console, have them approved, and correct"
            f" from them: `mailer campaign correct {campaign_id}` without files"
        )
    languages = [one.language for one in manuscripts]
    subject = None
    editions = revisions.editions_by_language(tx, campaign_id)
    for manuscript, text in zip(manuscripts, texts, strict=True):
        _replace_text(tx, app, actor, campaign, mailing_list, manuscript.language, normalize_line_ends(text))
        if manuscript.language == next(iter(editions)):
            subject = manuscript.subject
    _note_translated(tx, campaign_id, languages)
    campaigns.record_correction(tx, campaign_id, subject)
    return _record(tx, app, actor, campaign, languages)


def _replace_text(
    tx: Connection, app: App, actor: Actor, campaign: Campaign, mailing_list: MailingList, language: str, text: str
) -> None:
    """Give an edition this text, in its draft and in its letters; before the launch it may be a new edition."""
    drafts.ensure(tx, campaign.id)
    editions, now = revisions.editions_by_language(tx, campaign.id), app.clock()
    if language in editions:
        current = drafts.lock(tx, campaign.id, language)
        if current.text != text:
            write_draft(tx, app, actor, campaign, current, text)
        edition_id = current.edition_id
    elif campaign.state in _CAN_ADD_EDITION:
        edition_id = drafts.add_edition(
            tx, campaign_id=campaign.id, language=language, is_default=False, text=text, by=actor.name, now=now
        )
    else:
        raise WrongState(
            f"campaign {campaign.id} is {campaign.state} and has no edition in language {language!r};"
            f" one may be added only before the launch (there are: {', '.join(editions)})"
        )
    launched = None if campaign.state in _CAN_ADD_EDITION else mailing_list
    revisions.add_revision(
        tx,
        edition_id=edition_id,
        manuscript=text,
        now=now,
        mailing_list=launched,
        made_with=describe_making(app),
    )


def _note_translated(tx: Connection, campaign_id: int, languages: Sequence[str]) -> None:
    """Editions that were handed in together with the default one are up to date with it."""
    default = drafts.get(tx, campaign_id, None)
    if default.language in languages:
        for one in drafts.list_drafts(tx, campaign_id):
            if one.language in languages and not one.is_default:
                drafts.set_source_digest(tx, one.edition_id, text_digest(default.text))


def _record(tx: Connection, app: App, actor: Actor, campaign: Campaign, languages: Sequence[str]) -> Campaign:
    after = {"corrections": campaign.corrections + 1, "languages": list(languages)}
    record_act(
        tx, app, actor, Act.CORRECT_CAMPAIGN, campaign, before={"corrections": campaign.corrections}, after=after
    )
    return campaigns.get(tx, campaign.id)


async def correct_from_drafts(
    app: App, actor: Actor, campaign_id: int, *, reviewed: str | None = None
) -> CorrectionResult:
    """Give the campaign's letters the texts of its drafts, like `correct`; nothing happens if they have them already.

    `reviewed` is the digest of the review page; with it, raises WrongState if the texts were changed since. Also
    raises CampaignFileRefused, NotFound, NotPermitted, and WrongState unless the campaign is scheduled or paused, and
    has the approval that its list asks for.
    """

    def work(tx: Connection, campaign: Campaign, checked: CheckedDrafts) -> CorrectionResult:
        check_state(campaign, allowed=_CAN_GET_DRAFTS, action="be corrected")
        require_reviewed(checked, reviewed)
        require_approval(tx, actor, checked, campaign.languages)
        if not (languages := freeze(tx, app, campaign, checked, campaign.languages)):
            return CorrectionResult(campaign, ())
        campaigns.record_correction(tx, campaign_id, None)
        return CorrectionResult(_record(tx, app, actor, campaign, languages), tuple(languages))

    return await with_checked_drafts(app, actor, Permission.SEND, campaign_id, work)


def _check_event(campaign: Campaign, manuscript: CampaignFile) -> None:
    # A letter begun in the console has no event before it is scheduled.
    new_letter = campaign.state is CampaignState.DRAFT and campaign.event_starts_at is None
    if new_letter or event_start_time(manuscript) == campaign.event_starts_at:
        return
    known = f"at {campaign.event_starts_at:%Y-%m-%d %H:%M} UTC" if campaign.event_starts_at else "at no time"
    raise CampaignFileRefused(
        f"the event of campaign {campaign.id} starts {known}; a correction cannot move it, a new campaign can"
    )
