"""Creates campaigns from campaign files, one for each language."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import WhenUncertain
from mailer.domain.mailing_list import MailingList
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import CampaignFile, parse_campaign_file
from mailer.mail.compose.compile_letter import compile_letter
from mailer.mail.compose.dry_run import dry_run_letter
from mailer.mail.compose.front_matter import normalize_line_ends
from mailer.mail.compose.letter_resources import LetterResources
from mailer.mail.compose.writing_faults import refuse_writing_faults
from mailer.store import campaigns, mailing_lists, revisions
from mailer.store.accounts import audit_log
from mailer.store.letters import letter_sources
from mailer.store.writing import drafts


async def new_campaign(
    app: App,
    actor: Actor,
    *,
    list_name: str,
    texts: Mapping[str, str],
    when_uncertain: WhenUncertain = WhenUncertain.RESEND,
) -> int:
    """Store a campaign with one edition for each text (by file name), as its draft; returns the campaign's id.

    The first edition is the default for recipients whose language has none. Raises CampaignFileRefused with file and
    line for anything that would fail at the launch, NotFound for an unknown list, and NotPermitted.
    """

    def load_list(tx: Connection) -> MailingList:
        found = mailing_lists.get_by_name(tx, list_name)
        actor.require(Permission.WRITE, found.id)
        return found

    mailing_list = await app.database.read(load_list)
    campaign_files = await parse_editions(app, mailing_list, texts)
    return await app.database.write(
        _add, app, actor, mailing_list, campaign_files, list(texts.values()), when_uncertain
    )


def _add(
    tx: Connection,
    app: App,
    actor: Actor,
    mailing_list: MailingList,
    campaign_files: Sequence[CampaignFile],
    texts: Sequence[str],
    when_uncertain: WhenUncertain,
) -> int:
    actor.require(Permission.WRITE, mailing_list.id)
    now, first = app.clock(), campaign_files[0]
    campaign_id = campaigns.add(
        tx,
        mailing_list_id=mailing_list.id,
        subject=first.subject,
        event_starts_at=event_start_time(first),
        now=now,
        when_uncertain=when_uncertain,
    )
    for number, (campaign_file, text) in enumerate(zip(campaign_files, texts, strict=True)):
        revisions.add_edition(
            tx,
            campaign_id=campaign_id,
            language=campaign_file.language,
            is_default=number == 0,
            manuscript=normalize_line_ends(text),
            now=now,
        )
    drafts.ensure(tx, campaign_id, actor.name)
    audit_log.record(
        tx,
        actor,
        Act.ADD_CAMPAIGN,
        subject=f"campaign {campaign_id}",
        mailing_list_id=mailing_list.id,
        after={"languages": [one.language for one in campaign_files]},
        now=now,
    )
    return campaign_id


async def parse_editions(app: App, mailing_list: MailingList, texts: Mapping[str, str]) -> list[CampaignFile]:
    """Parse the texts (by file name) of a campaign's editions, and render each for sample recipients.

    Raises CampaignFileRefused with file and line.
    """
    resources = await app.database.read(letter_sources.load_resources, list(texts.values()), 0)
    campaign_files = [
        await asyncio.to_thread(_parse_and_dry_run, app, mailing_list, resources, file, text)
        for file, text in texts.items()
    ]
    _check_editions(campaign_files)
    return campaign_files


def event_start_time(campaign_file: CampaignFile) -> datetime | None:
    """When the campaign's event has begun, in UTC; without a time of day, at the end of its first day."""
    return campaign_file.event.invitation_deadline.astimezone(UTC) if campaign_file.event else None


def _parse_and_dry_run(
    app: App, mailing_list: MailingList, resources: LetterResources, file: str, text: str
) -> CampaignFile:
    try:
        refuse_writing_faults(text)
        campaign_file = parse_campaign_file(text, mailing_list.language)
        language = app.language(campaign_file.language)
        identity = app.list_identity(mailing_list)
        dry_run_letter(compile_letter(campaign_file, identity, app.templates, language, 0, resources))
    except CampaignFileRefused as refusal:
        raise CampaignFileRefused(f"{file}: {refusal}") from None
    return campaign_file


def _check_editions(campaign_files: Sequence[CampaignFile]) -> None:
    languages = [one.language for one in campaign_files]
    for tag in languages:
        if languages.count(tag) > 1:
            raise CampaignFileRefused(f"two of the files are in language {tag!r}: one edition per language")
    if len(set(map(event_start_time, campaign_files))) > 1:
        raise CampaignFileRefused("the editions do not agree on when the event starts")
