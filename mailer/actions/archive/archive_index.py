"""The index of an archive: its letters, newest first, of all times, of a year, or with a tag."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from mailer.actions.archive.open_archive import OpenArchive
from mailer.app import App
from mailer.domain.letters.archive import ArchivedEdition, ArchivedLetter, ArchivedText, LetterSummary
from mailer.domain.letters.archive_paths import letter_name, slug_of
from mailer.errors import CampaignFileRefused, LetterRenderFailed, NotFound
from mailer.store.letters import archive as archived
from mailer.store.letters import earlier_letters

_log = structlog.get_logger()

LETTERS_ON_A_PAGE = 25
_CHUNK = 500
"""Texts that are read at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveEntry:
    """A letter in an index, in one language."""

    campaign_id: int
    name: str
    """The last segments of the path of its page."""
    title: str
    lead: str
    tags: tuple[str, ...]
    language: str
    launched_at: datetime
    """In the list's time zone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveIndex:
    """A page of an index."""

    entries: tuple[ArchiveEntry, ...]
    years: tuple[int, ...]
    """In which letters were sent, the last first."""
    older: int | None
    """The campaign before which the next page goes on; None if this is the last."""
    has_earlier: bool
    """Whether there are letters that other software sent before."""


async def archive_index(
    app: App,
    archive: OpenArchive,
    language: str,
    *,
    year: int | None = None,
    tag: str | None = None,
    before: int | None = None,
) -> ArchiveIndex:
    """A page of the index, with the editions that readers of `language` get.

    `before` is the campaign after which older ones are shown. Raises NotFound for a year or a tag without letters, and
    for a `before` that is not in the archive.
    """
    mailing_list, zone = archive.mailing_list, ZoneInfo(archive.mailing_list.zone)
    letters = await app.database.read(archived.list_letters, mailing_list.id)
    years = tuple(dict.fromkeys(one.launched_at.astimezone(zone).year for one in letters))
    if year is not None:
        letters = [one for one in letters if one.launched_at.astimezone(zone).year == year]
    if tag is not None:
        letters = await _with_tag(app, await app.database.read(archived.add_editions, letters, mailing_list.id), tag)
    if not letters and (year is not None or tag is not None):
        raise NotFound("there are no such letters")
    page = _after(letters, before)[: LETTERS_ON_A_PAGE + 1]
    shown = page[:LETTERS_ON_A_PAGE]
    older = shown[-1].campaign_id if len(page) > len(shown) else None
    if tag is None:
        shown = await app.database.read(archived.add_editions, shown)
    chosen = [(one, one.edition_for(language, mailing_list.language)) for one in shown if one.editions]
    return ArchiveIndex(
        entries=tuple(await entries_of(app, archive, chosen)),
        years=years,
        older=older,
        has_earlier=bool(await app.database.read(earlier_letters.list_letters, mailing_list.id, None, 1)),
    )


async def entries_of(
    app: App, archive: OpenArchive, chosen: Sequence[tuple[ArchivedLetter, ArchivedEdition]]
) -> list[ArchiveEntry]:
    """These editions of letters as an index shows them; a text that cannot be read is left out."""
    summaries = await summaries_of(app, [edition.revision_id for _, edition in chosen])
    return [
        _entry(archive, letter, edition, summary)
        for letter, edition in chosen
        if (summary := summaries.get(edition.revision_id)) is not None
    ]


async def summaries_of(app: App, revision_ids: Collection[int]) -> dict[int, LetterSummary]:
    """Title, lead and tags of these revisions, by id, without those that cannot be read; each is read once."""
    unknown = app.archive_cache.unknown(revision_ids)
    for begin in range(0, len(unknown), _CHUNK):
        texts = await app.database.read(archived.load_texts, unknown[begin : begin + _CHUNK])
        await asyncio.to_thread(_summarize, app, texts)
    return {one: found for one in revision_ids if (found := app.archive_cache.known_summary(one)) is not None}


def _summarize(app: App, texts: Mapping[int, ArchivedText]) -> None:
    for revision_id, text in texts.items():
        try:
            app.archive_cache.summary(revision_id, text)
        except (CampaignFileRefused, LetterRenderFailed) as refusal:
            _log.warning("skipped letter in archive", revision=revision_id, reason=str(refusal))


def _entry(
    archive: OpenArchive, letter: ArchivedLetter, edition: ArchivedEdition, summary: LetterSummary
) -> ArchiveEntry:
    is_default = edition is letter.editions[0]
    return ArchiveEntry(
        campaign_id=letter.campaign_id,
        name=letter_name(letter.campaign_id, slug_of(summary.title), None if is_default else edition.language),
        title=summary.title,
        lead=summary.lead,
        tags=summary.tags,
        language=edition.language,
        launched_at=letter.launched_at.astimezone(ZoneInfo(archive.mailing_list.zone)),
    )


async def _with_tag(app: App, letters: Sequence[ArchivedLetter], tag: str) -> list[ArchivedLetter]:
    """Those of which an edition has the tag; case does not matter."""
    summaries = await summaries_of(app, [one.revision_id for letter in letters for one in letter.editions])
    having = {number for number, one in summaries.items() if tag.casefold() in map(str.casefold, one.tags)}
    return [letter for letter in letters if any(one.revision_id in having for one in letter.editions)]


def _after(letters: Sequence[ArchivedLetter], before: int | None) -> Sequence[ArchivedLetter]:
    if before is None:
        return letters
    place = next((place for place, one in enumerate(letters) if one.campaign_id == before), None)
    if place is None:
        raise NotFound("there is no such page; begin with the first")
    return letters[place + 1 :]
