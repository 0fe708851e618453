"""One letter of an archive, in one language, with the ways to its other editions and to the letters beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from mailer.actions.archive.archive_index import ArchiveEntry, entries_of
from mailer.actions.archive.open_archive import OpenArchive
from mailer.app import App
from mailer.domain.letters.archive import ArchivedEdition, ArchivedLetter
from mailer.domain.letters.media import find_media_digests
from mailer.errors import CampaignFileRefused, LetterRenderFailed, NotFound
from mailer.mail.compose.archive_letter import ArchiveArticle
from mailer.store.letters import archive as archived
from mailer.store.letters import media

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivePage:
    """A letter as its page shows it."""

    article: ArchiveArticle
    campaign_id: int
    name: str
    """The last segments of the path of this page."""
    launched_at: datetime
    changed_at: datetime
    editions: Mapping[str, str]
    """The last segments of the path of each edition, by language, the default one first."""
    words_in: str
    """The language of the service's own words beside it."""
    older: ArchiveEntry | None
    newer: ArchiveEntry | None


async def archive_page(app: App, archive: OpenArchive, campaign_id: int, language: str | None) -> ArchivePage:
    """The newest text of a letter's edition in exactly `language`; None: its default edition.

    Raises NotFound if it is not in the archive.
    """

    def read(tx: Connection) -> tuple[Sequence[ArchivedLetter], ArchivedLetter]:
        letters = archived.list_letters(tx, archive.mailing_list.id)
        place = next((place for place, one in enumerate(letters) if one.campaign_id == campaign_id), None)
        if place is None:
            raise NotFound("there is no such letter")
        near = archived.add_editions(tx, letters[max(place - 1, 0) : place + 2])
        return near, near[min(place, 1)]

    near, letter = await app.database.read(read)
    edition = _edition(letter, language)
    article = (await articles_of(app, archive, [edition])).get(edition.revision_id)
    if article is None:
        raise NotFound("this letter cannot be shown")
    place = near.index(letter)
    own = archive.mailing_list.language
    beside = [(one, one.edition_for(edition.language, own)) for one in near if one is not letter and one.editions]
    found = await entries_of(app, archive, [*((letter, one) for one in letter.editions), *beside])
    entries = {one.campaign_id: one for one in found if one.campaign_id != campaign_id}
    editions = {one.language: one.name for one in found if one.campaign_id == campaign_id}
    return ArchivePage(
        article=article,
        campaign_id=campaign_id,
        name=editions[edition.language],
        launched_at=letter.launched_at.astimezone(ZoneInfo(archive.mailing_list.zone)),
        changed_at=max(letter.launched_at, edition.changed_at),
        editions=editions,
        words_in=words_in(app, archive, edition),
        older=entries.get(near[place + 1].campaign_id) if place + 1 < len(near) else None,
        newer=entries.get(near[place - 1].campaign_id) if place else None,
    )


async def articles_of(app: App, archive: OpenArchive, editions: Sequence[ArchivedEdition]) -> dict[int, ArchiveArticle]:
    """The articles of these editions, by revision, without those that letters cannot have any more."""
    texts = await app.database.read(archived.load_texts, [one.revision_id for one in editions])

    def compose() -> dict[int, ArchiveArticle]:
        found = {}
        for one in editions:
            text, words = texts[one.revision_id], words_in(app, archive, one)
            try:
                found[one.revision_id] = app.archive_cache.article(one.revision_id, text, one.language, words)
            except (CampaignFileRefused, LetterRenderFailed) as refusal:
                _log.warning("skipped letter in archive", revision=one.revision_id, reason=str(refusal))
        return found

    return await app.database.read(_name_attachments, await asyncio.to_thread(compose))


def _name_attachments(tx: Connection, articles: dict[int, ArchiveArticle]) -> dict[int, ArchiveArticle]:
    """The same articles, with the file names of attachments that readers of letters see."""
    digests = {digest for one in articles.values() for path in one.attachments for digest in find_media_digests(path)}
    shown = {one.path: one.shown_name for one in media.load_many(tx, digests, with_content=False)}
    return {
        number: replace(one, attachments={path: shown.get(path) or name for path, name in one.attachments.items()})
        for number, one in articles.items()
    }


def words_in(app: App, archive: OpenArchive, edition: ArchivedEdition) -> str:
    """The language of the service's own words beside an edition."""
    return app.language(edition.language, archive.mailing_list.language)


def _edition(letter: ArchivedLetter, language: str | None) -> ArchivedEdition:
    """The edition in exactly this language; None: the default one. Raises NotFound."""
    for one in letter.editions:
        if language in (None, one.language):
            return one
    raise NotFound("there is no such edition of this letter")
