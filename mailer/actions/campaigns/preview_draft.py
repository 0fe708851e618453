"""Renders a draft for one person, real or invented."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.actions.campaigns.draft_change import DraftChange
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.address import parse_address
from mailer.domain.campaign import Campaign
from mailer.domain.draft import SampleReader
from mailer.domain.mailing_list import MailingList
from mailer.domain.token import NOBODY
from mailer.errors import NotFound
from mailer.mail.compose.letter_resources import LetterResources
from mailer.mail.compose.personalise import Recipient
from mailer.mail.message.letter import Letter
from mailer.store import mailing_lists
from mailer.store.letters import letter_sources
from mailer.store.letters.letter_sources import archive_of
from mailer.store.writing import drafts, readers


async def preview_draft(
    app: App,
    actor: Actor,
    campaign_id: int,
    language: str,
    *,
    fields: Mapping[str, str] | None = None,
    text: str | None = None,
    reader: str | int | SampleReader | None = None,
) -> Letter:
    """The letter with the draft's text, or these fields or this text instead; its links lead nowhere.

    It is for a subscriber of the list, given by address or subscription id, or for an invented person; None: one of
    whom nothing is known. A missing subject or body shows as `...`.

    Raises CampaignFileRefused with the line of the first mistake, LetterRenderFailed, AddressRefused, NotFound, and
    NotPermitted, also if the actor may not see people.
    """
    change = DraftChange(fields=fields or {}, text=text)
    change.check_length()

    def read(tx: Connection) -> _Source:
        campaign = load_campaign(tx, actor, Permission.READ, campaign_id)
        known = _load_reader(tx, actor, campaign, reader) if isinstance(reader, str | int) else reader
        draft = drafts.get(tx, campaign_id, language)
        written = app.draft_cache.fill_gaps(change.apply_to(draft.text))
        mailing_list = mailing_lists.get(tx, campaign.mailing_list_id)
        return _Source(
            campaign=campaign,
            mailing_list=mailing_list,
            language=draft.language,
            text=written,
            resources=letter_sources.load_resources(tx, [written, mailing_list.logo or ""], campaign_id),
            reader=known or SampleReader(),
        )

    return await asyncio.to_thread(_render, app, await app.database.read(read))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    campaign: Campaign
    mailing_list: MailingList
    language: str
    text: str
    resources: LetterResources
    reader: SampleReader


def _render(app: App, source: _Source) -> Letter:
    of_list = replace(source.mailing_list, archive=archive_of(source.mailing_list, source.campaign.archived))
    compiled = app.draft_cache.letter(
        source.text,
        source.language,
        app.list_identity(of_list),
        app.templates,
        source.campaign.id,
        source.resources,
        source.reader.language,
    )
    return compiled.write(_recipient(source.reader, app.clock()))


def _load_reader(tx: Connection, actor: Actor, campaign: Campaign, reader: str | int) -> SampleReader:
    actor.require(Permission.SEE_PEOPLE, campaign.mailing_list_id)
    if isinstance(reader, int):
        found = readers.find_by_id(tx, campaign.mailing_list_id, reader)
    else:
        found = readers.find(tx, campaign.mailing_list_id, parse_address(reader).key)
    if found is None:
        raise NotFound("there is no such confirmed subscriber of this list")
    return SampleReader(address=found.address, name=found.name, language=found.language, attributes=found.attributes)


def _recipient(known: SampleReader, now: datetime) -> Recipient:
    return Recipient(
        delivery_id=NOBODY,
        subscription_id=NOBODY,
        address=known.address,
        name=known.name,
        attributes=dict(known.attributes or {}),
        dated_at=now,
        language=known.language,
    )
