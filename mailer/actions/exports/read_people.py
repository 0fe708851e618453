"""Reads a list's people, consents and suppressions for exports, in short transactions of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from mailer.app import App
from mailer.store.exports import people_pages, record_pages
from mailer.store.exports.people_pages import PersonRecord
from mailer.store.exports.record_pages import ExportedSuppression, SuppressionPlace

_CHUNK = 5000
"""Rows of one transaction."""
_CHUNK_OF_IDS = 10_000


async def read_people(app: App, mailing_list_id: int) -> AsyncIterator[list[PersonRecord]]:
    """Yield all people of a list in the order of their addresses, page by page."""
    after = ""
    while True:
        last, page = await app.database.read(people_pages.next_people, mailing_list_id, after, _CHUNK)
        if last is None:
            return
        after = last
        if page:
            yield page


async def read_attribute_names(app: App, mailing_list_id: int) -> list[str]:
    """The names of the attributes of a list's people, in alphabetical order."""
    names: set[str] = set()
    after: int | None = 0
    while after is not None:
        after, more = await app.database.read(people_pages.attribute_names, mailing_list_id, after, _CHUNK_OF_IDS)
        names |= more
    return sorted(names)


async def read_consents(app: App, mailing_list_id: int) -> AsyncIterator[str]:
    """Yield a list's consent record, oldest first, page by page, as lines of JSON."""
    after: datetime | None = None
    while True:
        after, page = await app.database.read(record_pages.next_consents, mailing_list_id, after, _CHUNK)
        if after is None:
            return
        yield page


async def read_suppressions(app: App, mailing_list_id: int) -> AsyncIterator[list[ExportedSuppression]]:
    """Yield the suppressions for a list and for all lists by key, page by page."""
    after: SuppressionPlace | None = ("", 0, "")
    while after is not None:
        after, page = await app.database.read(record_pages.next_suppressions, mailing_list_id, after, _CHUNK)
        yield page
