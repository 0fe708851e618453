"""An organiser writes a campaign, in one language or several."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.campaign import WhenUncertain
from mailer.domain.mailing_list import MailingList
from mailer.errors import ManuscriptRefused
from mailer.mail.compose.campaign_file import Manuscript, read_manuscript
from mailer.mail.compose.compile_letter import compile_letter
from mailer.mail.compose.dry_run import rehearse
from mailer.store import campaigns, mailing_lists, revisions


async def new_campaign(
    app: App, *, list_name: str, texts: Mapping[str, str], when_uncertain: WhenUncertain = WhenUncertain.RESEND
) -> int:
    """Keep a draft with one edition per text (by file name); the first is for readers whose language has none.

    What would fail at the hour fails now: ManuscriptRefused names file and line. Raises NotFound for an unknown list.
    Returns the campaign's id.
    """
    mailing_list = await app.database.read(mailing_lists.named, list_name)
    manuscripts = await read_editions(app, mailing_list, texts)
    first = manuscripts[0]

    def work(tx: Connection) -> int:
        now = app.clock()
        campaign_id = campaigns.add(
            tx,
            mailing_list_id=mailing_list.id,
            subject=first.subject,
            event_starts_at=event_start(first),
            now=now,
            when_uncertain=when_uncertain,
        )
        for number, (manuscript, text) in enumerate(zip(manuscripts, texts.values(), strict=True)):
            revisions.add_edition(
                tx,
                campaign_id=campaign_id,
                language=manuscript.language,
                is_default=number == 0,
                manuscript=text,
                now=now,
            )
        return campaign_id

    return await app.database.write(work)


async def read_editions(app: App, mailing_list: MailingList, texts: Mapping[str, str]) -> list[Manuscript]:
    """The texts (by file name) of a campaign's editions, each tried; one with conditions for readers of all sorts.

    ManuscriptRefused names file and line.
    """
    manuscripts = [await asyncio.to_thread(_read, app, mailing_list, file, text) for file, text in texts.items()]
    _check_editions(manuscripts)
    return manuscripts


def event_start(manuscript: Manuscript) -> datetime | None:
    """When its event has begun, in UTC; one that has no hour has at its first day's end."""
    return manuscript.event.invites_until.astimezone(UTC) if manuscript.event else None


def _read(app: App, mailing_list: MailingList, file: str, text: str) -> Manuscript:
    try:
        manuscript = read_manuscript(text, mailing_list.language)
        language = app.language(manuscript.language)
        rehearse(compile_letter(manuscript, app.letterhead(mailing_list), app.templates, language, 0))
    except ManuscriptRefused as refusal:
        raise ManuscriptRefused(f"{file}: {refusal}") from None
    return manuscript


def _check_editions(manuscripts: Sequence[Manuscript]) -> None:
    languages = [manuscript.language for manuscript in manuscripts]
    for tag in languages:
        if languages.count(tag) > 1:
            raise ManuscriptRefused(f"two of the files are in language {tag!r}: one edition per language")
    if len(set(map(event_start, manuscripts))) > 1:
        raise ManuscriptRefused("the editions do not agree on when the event starts")
