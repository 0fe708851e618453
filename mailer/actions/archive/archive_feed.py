"""The newest letters of a public archive, whole, for feed readers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailer.actions.archive.archive_index import entries_of
from mailer.actions.archive.archive_page import articles_of, words_in
from mailer.actions.archive.open_archive import OpenArchive
from mailer.app import App
from mailer.domain.language import choose_language
from mailer.domain.letters.archive import ArchivedEdition, ArchivedLetter
from mailer.domain.letters.archive_paths import letter_name
from mailer.errors import NotFound
from mailer.mail.compose.archive_letter import ArchiveArticle
from mailer.store.letters import archive as archived

_MOST_ENTRIES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedEntry:
    """A letter in a feed."""

    article: ArchiveArticle
    name: str
    """The last segments of the path of its page."""
    lasting_name: str
    """The same, but as no correction of its title changes them."""
    launched_at: datetime
    changed_at: datetime
    words_in: str
    """The language of the service's own words in it."""


async def archive_feed(app: App, archive: OpenArchive, language: str | None) -> tuple[FeedEntry, ...]:
    """The last 20 letters that have an edition for readers of `language`; None: all letters, their default edition.

    Raises NotFound if none of the last letters has such an edition.
    """

    def read(tx: Connection) -> list[ArchivedLetter]:
        letters = archived.list_letters(tx, archive.mailing_list.id)[:_MOST_ENTRIES]
        return archived.add_editions(tx, letters)

    letters = [one for one in await app.database.read(read) if one.editions]
    if language is None:
        chosen = [(one, one.editions[0]) for one in letters]
    else:
        in_language = [one for one in letters if choose_language([language], one.languages)]
        chosen = [(one, one.edition_for(language, archive.mailing_list.language)) for one in in_language]
        if not chosen:
            raise NotFound(f"no letter here is in {language!r}")
    names = {one.campaign_id: one.name for one in await entries_of(app, archive, chosen)}
    articles = await articles_of(app, archive, [edition for _, edition in chosen])
    return tuple(
        FeedEntry(
            article=articles[edition.revision_id],
            name=names[letter.campaign_id],
            lasting_name=_lasting_name(letter, edition),
            launched_at=letter.launched_at,
            changed_at=max(letter.launched_at, edition.changed_at),
            words_in=words_in(app, archive, edition),
        )
        for letter, edition in chosen
        if letter.campaign_id in names and edition.revision_id in articles
    )


def _lasting_name(letter: ArchivedLetter, edition: ArchivedEdition) -> str:
    return letter_name(letter.campaign_id, language=None if edition is letter.editions[0] else edition.language)
