"""Writes people.csv, suppressions.csv and consent.jsonl of an export."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from mailer.actions.exports.new_folder import new_text_file
from mailer.actions.exports.read_people import read_attribute_names, read_consents, read_people, read_suppressions
from mailer.app import App
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import ExportFailed
from mailer.importers.own_people import OWN_COLUMNS
from mailer.importers.people_csv import write_cells
from mailer.importers.person_row import ATTRIBUTE_PREFIX
from mailer.importers.suppression_table import EVERYWHERE, SUPPRESSION_COLUMNS, UNSUBSCRIBED
from mailer.store.exports.people_pages import PersonRecord
from mailer.store.exports.record_pages import ExportedSuppression

PEOPLE, SUPPRESSIONS, CONSENTS = "people.csv", "suppressions.csv", "consent.jsonl"


class NewAttribute(ExportFailed):
    """Somebody got an attribute that nobody had when the export began."""


async def write_people_files(
    app: App, mailing_list: MailingList, folder: Path, progress: Callable[[int], None]
) -> tuple[int, int]:
    """Write the three files; `progress` is told how many people are written. Returns the numbers of people and keys.

    Raises OSError.
    """
    while True:
        try:
            people = await _write_people(app, mailing_list, folder, progress)
            break
        except NewAttribute:
            (folder / PEOPLE).unlink()
            (folder / SUPPRESSIONS).unlink()
    suppressions = await _write_suppressions(app, mailing_list, folder / SUPPRESSIONS)
    with new_text_file(folder / CONSENTS) as out:
        async for page in read_consents(app, mailing_list.id):
            out.write(page)
    return people, suppressions


async def _write_people(app: App, mailing_list: MailingList, folder: Path, progress: Callable[[int], None]) -> int:
    names = await read_attribute_names(app, mailing_list.id)
    written = 0
    with new_text_file(folder / PEOPLE) as out, new_text_file(folder / SUPPRESSIONS) as suppressions:
        write_cells(out, [people_heading(names)])
        write_cells(suppressions, [SUPPRESSION_COLUMNS])
        async for page in read_people(app, mailing_list.id):
            await asyncio.to_thread(write_people_page, out, page, names)
            write_cells(suppressions, _unsubscribed_rows(app, mailing_list, page))
            progress(written := written + len(page))
    return written


def people_heading(attributes: Sequence[str]) -> list[str]:
    """The first row of an export of everybody."""
    return [*OWN_COLUMNS, *(ATTRIBUTE_PREFIX + name for name in attributes)]


def write_people_page(out: TextIO, page: Sequence[PersonRecord], attributes: Sequence[str]) -> None:
    """Append people as rows of an export of everybody. Raises NewAttribute for an attribute without a column."""
    known = set(attributes)
    for one in page:
        if not one.attributes.keys() <= known and any(one.attributes[name] for name in one.attributes.keys() - known):
            raise NewAttribute("somebody has got an attribute that nobody had when the export began: begin it again")
    write_cells(out, ([*one.cells, *(one.attributes.get(name, "") for name in attributes)] for one in page))


def _unsubscribed_rows(app: App, mailing_list: MailingList, page: Sequence[PersonRecord]) -> list[list[str]]:
    """Rows of suppressions.csv for people who are unsubscribed, and no suppression says so."""
    secret_id = app.site.keyring.secret_id
    said = (SuppressionReason.LEFT, SuppressionReason.NEVER)
    return [
        [one.suppression_key, secret_id, UNSUBSCRIBED, mailing_list.name, one.changed_at, "", one.email]
        for one in page
        if one.state == SubscriptionState.UNSUBSCRIBED
        and not any(entry.startswith(said) for entry in one.suppressed.split("; "))
    ]


async def _write_suppressions(app: App, mailing_list: MailingList, file: Path) -> int:
    written = 0
    secret_id = app.site.keyring.secret_id
    with file.open("a", encoding="utf-8", newline="") as out:
        async for page in read_suppressions(app, mailing_list.id):
            write_cells(out, (_suppression_cells(one, mailing_list, secret_id) for one in page))
            written += len(page)
        out.flush()
        os.fsync(out.fileno())
    return written


def _suppression_cells(one: ExportedSuppression, mailing_list: MailingList, secret_id: str) -> list[str]:
    place = EVERYWHERE if one.everywhere else mailing_list.name
    return [one.key, secret_id, one.reason, place, one.since, one.until, one.email]
