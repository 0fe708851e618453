"""Writes the letter of each reader of a campaign's drafts, in chunks: kinds are counted, failures found."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from mailer.actions.campaigns.checked_drafts import CheckedDrafts
from mailer.actions.campaigns.preflight.letter_tally import LetterTally
from mailer.app import App
from mailer.domain.draft import Draft
from mailer.domain.letters.edition_choice import choose_edition
from mailer.domain.token import NOBODY
from mailer.mail.compose.compile_letter import CompiledLetter
from mailer.mail.compose.personalise import Recipient
from mailer.store.letters.letter_sources import archive_of
from mailer.store.writing import readers
from mailer.store.writing.readers import Reader

CHUNK = 1000
"""Readers at a time: so much is held in memory."""
_FEW = 25
"""Oldest and newest readers of a quick check."""


class DraftLetters:
    """The letters of checked drafts, compiled when they are first asked for; editions with errors have none."""

    def __init__(self, app: App, checked: CheckedDrafts) -> None:
        loaded = checked.loaded
        self._app = app
        self._editions = loaded.languages
        self._list_language = loaded.mailing_list.language
        self._campaign = loaded.campaign
        archive = archive_of(loaded.mailing_list, loaded.campaign.archived)
        self._identity = app.list_identity(replace(loaded.mailing_list, archive=archive))
        self._loaded = loaded
        self._drafts = {one.language: one for one in loaded.drafts if one.language in checked.files}

    def tally(self, tally: LetterTally, some: Sequence[Reader]) -> None:
        """Count the letters of these readers; those of editions with errors are left out."""
        for one in some:
            edition = choose_edition(one.language, self._editions, self._list_language).language
            draft = self._drafts.get(edition)
            if draft is None or not self._campaign.sends(edition):
                continue
            recipient = Recipient(
                delivery_id=NOBODY,
                subscription_id=NOBODY,
                address=one.address,
                name=one.name,
                attributes=one.attributes,
                dated_at=self._app.clock(),
                language=one.language,
            )
            tally.add(edition, self._compile(draft, one.language), recipient)

    def tally_unknown(self, tally: LetterTally) -> None:
        """Add the letter of each edition for an invented reader of whom nothing is known."""
        for edition, draft in self._drafts.items():
            if self._campaign.sends(edition):
                nobody = Recipient(
                    delivery_id=NOBODY,
                    subscription_id=NOBODY,
                    address=self._app.site.owner,
                    name=None,
                    attributes={},
                    dated_at=self._app.clock(),
                    language=edition,
                )
                tally.add(edition, self._compile(draft, edition), nobody, number=0)

    def _compile(self, draft: Draft, reader_language: str | None) -> CompiledLetter:
        return self._app.draft_cache.letter(
            draft.text,
            draft.language,
            self._identity,
            self._app.templates,
            self._campaign.id,
            self._loaded.resources,
            reader_language,
        )


async def tally_drafts(
    app: App, checked: CheckedDrafts, *, everybody: bool, progress: Callable[[int], None]
) -> LetterTally:
    """The letters of everybody whom a launch would reach now, or of a few of them; `progress` is told how many."""
    letters, tally = DraftLetters(app, checked), LetterTally()
    list_id = checked.loaded.mailing_list.id
    await asyncio.to_thread(letters.tally_unknown, tally)
    if not everybody:
        await asyncio.to_thread(letters.tally, tally, await app.database.read(readers.list_some, list_id, _FEW))
        return tally
    after = 0

    def read(tx: Connection) -> list[Reader]:
        return readers.list_chunk(tx, list_id, after, CHUNK)

    while some := await app.database.read(read):
        await asyncio.to_thread(letters.tally, tally, some)
        after = some[-1].subscription_id
        progress(tally.readers)
    return tally
