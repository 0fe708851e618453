"""Writes campaigns/ of an export: texts, reports, one exact letter of each text, pictures and attachments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import structlog
from sqlalchemy import Connection

from mailer.actions.delivery.render_letter import LetterRenderer
from mailer.actions.exports.new_folder import new_text_file, write_file
from mailer.actions.exports.write_toml import write_table
from mailer.app import App
from mailer.domain.campaign import Campaign
from mailer.domain.delivery import Delivery
from mailer.domain.letters.mask_tokens import mask_tokens
from mailer.domain.letters.media import find_media_digests
from mailer.domain.mailing_list import MailingList
from mailer.errors import DatabaseUnavailable
from mailer.importers.people_csv import write_cells
from mailer.store import campaign_progress, campaigns
from mailer.store.exports import campaign_texts
from mailer.store.exports.campaign_texts import RevisionText
from mailer.store.letters import media
from mailer.store.queue import claims
from mailer.store.writing import drafts

_log = structlog.get_logger()
_CHUNK = 2000
_REPORT_COLUMNS = ("address", "state", "attempts", "code", "reply")
CAMPAIGNS, MEDIA = "campaigns", "media"


async def write_campaign_files(app: App, mailing_list: MailingList, folder: Path) -> tuple[int, list[str]]:
    """Write a folder for each campaign, and all files that texts and list name into media/.

    Returns the number of campaigns, and the letters that could not be written again, one text each. Raises OSError.
    """
    renderer, problems, number = LetterRenderer(app), list[str](), 0
    named = set(find_media_digests(mailing_list.logo or ""))
    async for campaign in _list_campaigns(app, mailing_list.id):
        own = folder / CAMPAIGNS / str(campaign.id)
        own.mkdir(0o700, parents=True)
        write_file(own / "campaign.toml", _describe(campaign).encode())
        texts = await _write_texts(app, campaign, own)
        named.update(*map(find_media_digests, texts))
        await _write_report(app, campaign, own / "report.csv")
        problems += await _write_letters(app, renderer, campaign, own)
        number += 1
    await _write_media(app, named, folder)
    return number, problems


async def _list_campaigns(app: App, mailing_list_id: int) -> AsyncIterator[Campaign]:
    after: str | None = ""
    while after is not None:
        page = await app.database.read(campaigns.list_page, after, mailing_list_ids=[mailing_list_id])
        for one in page.items:
            yield one
        after = page.next_cursor


def _describe(campaign: Campaign) -> str:
    times = {
        "scheduled_at": campaign.scheduled_at,
        "launched_at": campaign.launched_at,
        "finished_at": campaign.finished_at,
    }
    return write_table(
        {
            "subject": campaign.subject,
            "state": campaign.state.value,
            "audience": campaign.audience,
            "editions": campaign.languages,
            "zone": campaign.zone,
            **{name: at.isoformat() for name, at in times.items() if at},
            "archived": campaign.archived,
        }
    )


async def _write_texts(app: App, campaign: Campaign, folder: Path) -> list[str]:
    """Write LANGUAGE.md as each text is now, and what letters were written with before; returns all texts."""

    def work(tx: Connection) -> tuple[dict[str, str], list[RevisionText]]:
        current = {one.language: one.text for one in drafts.list_drafts(tx, campaign.id)}
        return current, campaign_texts.list_revisions(tx, campaign.id)

    current, revisions = await app.database.read(work)
    current = {one.language: one.manuscript for one in revisions} | current
    for language, text in current.items():
        write_file(folder / f"{language}.md", text.encode())
    earlier = [one for one in revisions if one.manuscript != current[one.language]]
    for one in earlier:
        write_file(folder / f"{one.language}.{one.id}.md", one.manuscript.encode())
    return [*current.values(), *(one.manuscript for one in earlier)]


async def _write_report(app: App, campaign: Campaign, file: Path) -> None:
    after = 0
    with new_text_file(file) as out:
        write_cells(out, [_REPORT_COLUMNS])
        while rows := await app.database.read(campaign_progress.list_recipients, campaign.id, after, _CHUNK):
            after = rows[-1].subscription_id
            write_cells(
                out, ([one.address, one.state, str(one.attempts), str(one.code or ""), one.reply or ""] for one in rows)
            )


async def _write_letters(app: App, renderer: LetterRenderer, campaign: Campaign, folder: Path) -> list[str]:
    """Write LANGUAGE.ID.eml: the first letter of each revision as it was handed to the relay, but for its tokens."""

    def work(tx: Connection) -> list[tuple[RevisionText, Delivery]]:
        samples = [
            (one, campaign_texts.find_sample(tx, campaign.id, one.id))
            for one in campaign_texts.list_revisions(tx, campaign.id)
        ]
        return [
            (one, delivery)
            for one, number in samples
            if number is not None
            for delivery in claims.load_deliveries(tx, campaign.id, 0, [number])
        ]

    problems = []
    for one, delivery in await app.database.read(work):
        try:
            letter = await renderer.render(delivery, delivery.dated_at or app.clock())
        except DatabaseUnavailable:
            raise
        except Exception as error:  # one text that does not render any more must not stop the export
            _log.warning("failed to render letter", campaign=campaign.id, revision=one.id, exc_info=True)
            problems.append(f"campaign {campaign.id}, {one.language}: its letter cannot be written again: {error}")
        else:
            write_file(folder / f"{one.language}.{one.id}.eml", mask_tokens(app.site.keyring, letter.content))
    return problems


async def _write_media(app: App, digests: Sequence[str] | set[str], folder: Path) -> None:
    for digest in sorted(digests):
        for one in await app.database.read(media.load_many, [digest]):
            write_file(folder / one.path.removeprefix("/"), one.content)
