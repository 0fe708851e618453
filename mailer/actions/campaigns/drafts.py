"""Writes a campaign's texts: a new letter, reading and saving drafts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign, record_act
from mailer.actions.campaigns.checked_drafts import CampaignDrafts, check_loaded, load_drafts
from mailer.actions.campaigns.draft_change import DraftChange
from mailer.actions.campaigns.draft_view import DraftView, edition_otherwise, missing_editions, view_editions
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import FINISHED, Campaign, CampaignState, check_state
from mailer.domain.draft import VERSION_SPAN_S, Approval, Draft
from mailer.errors import DraftChanged, NotFound
from mailer.mail.compose.front_matter import normalize_line_ends
from mailer.mail.compose.letter_fields import fields_or_none
from mailer.store import campaigns, mailing_lists
from mailer.store.accounts import audit_log
from mailer.store.counts import audience_counts
from mailer.store.writing import approvals, drafts

CAN_BE_WRITTEN = tuple(state for state in CampaignState if state not in FINISHED)
_EMPTY_LETTER = "---\nsubject:\nlanguage: {language}\n---\n\n"


async def new_letter(app: App, actor: Actor, *, list_name: str) -> int:
    """Store a campaign with one empty draft in the list's language; returns its id. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> int:
        mailing_list, now = mailing_lists.get_by_name(tx, list_name), app.clock()
        actor.require(Permission.WRITE, mailing_list.id)
        language = mailing_list.language
        number = campaigns.add(tx, mailing_list_id=mailing_list.id, subject="", event_starts_at=None, now=now)
        text = _EMPTY_LETTER.format(language=language)
        drafts.add_edition(
            tx, campaign_id=number, language=language, is_default=True, text=text, by=actor.name, now=now
        )
        audit_log.record(
            tx,
            actor,
            Act.ADD_CAMPAIGN,
            subject=f"campaign {number}",
            mailing_list_id=mailing_list.id,
            after={"languages": [language]},
            now=now,
        )
        return number

    return await app.database.write(work)


async def load_draft(app: App, actor: Actor, campaign_id: int, language: str | None = None) -> DraftView:
    """The draft of one edition; None: of the default edition. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> tuple[CampaignDrafts, dict[str, int], list[Approval]]:
        loaded = load_drafts(tx, actor, Permission.READ, campaign_id)
        counted = audience_counts.load_for(tx, loaded.campaign, app.clock())
        asks = loaded.mailing_list.needs_approval
        given = approvals.list_newest(tx, campaign_id, loaded.texts, loaded.sent) if asks else []
        return loaded, counted.languages, given

    loaded, counts, given = await app.database.read(work)
    shown = next((one for one in loaded.drafts if language in (None, one.language)), None)
    if shown is None:
        raise NotFound(f"campaign {campaign_id} has no edition in language {language!r}")
    checked = await check_loaded(app, loaded)
    campaign, editions = loaded.campaign, view_editions(checked, counts, given)
    return DraftView(
        campaign=campaign,
        mailing_list=loaded.mailing_list,
        language=shown.language,
        is_default=shown.is_default,
        version=shown.version,
        text=shown.text,
        fields=fields_or_none(shown.text),
        changed_at=shown.changed_at,
        changed_by=shown.changed_by,
        editions=editions,
        missing=missing_editions(editions),
        otherwise=edition_otherwise(loaded),
        problems=checked.problems[shown.language],
        may_write=campaign.state in CAN_BE_WRITTEN
        and actor.may(Permission.TRANSLATE, campaign.mailing_list_id, shown.language),
    )


async def save_draft(
    app: App,
    actor: Actor,
    campaign_id: int,
    language: str,
    *,
    version: int,
    fields: Mapping[str, str] | None = None,
    text: str | None = None,
    keep: bool = False,
) -> DraftView:
    """Save fields of LetterFields by name (those not given stay), or the whole text, that were begun from `version`.

    With `keep` the text so far becomes a version in any case, as when going back to an older one.

    The text may be unfinished. Saving the text that is there changes nothing. Raises DraftChanged if somebody saved
    another text since `version`: theirs stays, and this one is kept as a version that was set aside. Also raises
    NotFound, NotPermitted, WrongState if the campaign's letters cannot be changed any more, and CampaignFileRefused
    for a text that is too long, or for fields of a draft whose front matter cannot be read.
    """
    change = DraftChange(fields=fields or {}, text=text)
    await asyncio.to_thread(change.check_length)

    def work(tx: Connection) -> DraftChanged | None:
        campaign = load_writable(tx, actor, campaign_id, language)
        current = drafts.lock(tx, campaign_id, language)
        written = change.apply_to(current.text)
        if written == normalize_line_ends(current.text):
            return None
        if version != current.version:
            base = _text_of_version(tx, current, version)
            drafts.set_aside(tx, current, change.apply_to(base), actor.name, app.clock())
            return DraftChanged(current.version, current.changed_by)
        write_draft(tx, app, actor, campaign, current, written, keep=keep)
        return None

    if (conflict := await app.database.write(work)) is not None:
        raise conflict
    return await load_draft(app, actor, campaign_id, language)


def load_writable(tx: Connection, actor: Actor, campaign_id: int, language: str) -> Campaign:
    """The campaign, if the actor may write its text in this language now. Raises NotFound, NotPermitted, WrongState."""
    campaign = load_campaign(tx, actor, Permission.READ, campaign_id)
    actor.require(Permission.TRANSLATE, campaign.mailing_list_id, language)
    if campaign.state is CampaignState.DRAFT:  # its subject may change; whoever locks both locks the campaign first
        campaign = campaigns.get(tx, campaign_id, lock=True)
    check_state(campaign, allowed=CAN_BE_WRITTEN, action="have its text changed")
    return campaign


def write_draft(
    tx: Connection, app: App, actor: Actor, campaign: Campaign, current: Draft, text: str, *, keep: bool = False
) -> None:
    """Save the text of a locked draft. What one person saves within five minutes is one version and one audit line,
    unless the text so far is to be kept in any case."""
    now = app.clock()
    keep |= current.changed_by != actor.name or current.is_frozen or _span(current.changed_at) != _span(now)
    version = drafts.save(tx, current, text, actor.name, now, keep=keep)
    if current.is_default and campaign.state is CampaignState.DRAFT and (fields := fields_or_none(text)) is not None:
        campaigns.set_subject(tx, campaign.id, fields.subject)
    if keep:
        before = {"language": current.language, "version": current.version}
        after = {"language": current.language, "version": version}
        record_act(tx, app, actor, Act.WRITE_CAMPAIGN, campaign, before=before, after=after)


def _text_of_version(tx: Connection, current: Draft, version: int) -> str:
    """The text that somebody began from; the present one if that version was not kept."""
    try:
        return drafts.load_version(tx, current, version)
    except NotFound:
        return current.text


def _span(at: datetime) -> int:
    return int(at.timestamp()) // VERSION_SPAN_S
