"""Export the people of a list as CSV, in the format that import_people reads."""

from __future__ import annotations

from typing import TextIO

from sqlalchemy import Connection

from mailer.actions.exports.people_files import people_heading, write_people_page
from mailer.actions.exports.read_people import read_attribute_names, read_people
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState
from mailer.importers.own_people import OWN_COLUMNS
from mailer.importers.people_csv import write_cells
from mailer.importers.person_row import ATTRIBUTE_PREFIX, PERSON_COLUMNS
from mailer.store import mailing_lists
from mailer.store.accounts import audit_log
from mailer.store.exports.people_pages import PersonRecord


async def export_people(app: App, actor: Actor, *, list_name: str, file: TextIO, everybody: bool = False) -> int:
    """Write a list's confirmed people as CSV, or `everybody` with state columns. Returns how many were written.

    State columns: pending, confirmed or unsubscribed; suppressions; when the person last agreed; when the state last
    changed. Cells that a spreadsheet would run are escaped. Importing the file restores what was exported. The audit
    log has who began it. Raises NotFound, NotPermitted, and ExportFailed where somebody gets a new attribute meanwhile.
    """
    mailing_list = await app.database.write(_begin, app, actor, list_name, everybody)
    names = await read_attribute_names(app, mailing_list.id)
    write_cells(file, [people_heading(names) if everybody else [*PERSON_COLUMNS, *map(_heading, names)]])
    written = 0
    async for page in read_people(app, mailing_list.id):
        exported = [one for one in page if everybody or one.state == SubscriptionState.CONFIRMED]
        if everybody:
            write_people_page(file, exported, names)
        else:
            write_cells(file, (_cells(one, names) for one in exported))
        written += len(exported)
    return written


def _heading(attribute: str) -> str:
    """The attribute's name where no column of ours has it."""
    return ATTRIBUTE_PREFIX + attribute if attribute in OWN_COLUMNS else attribute


def _cells(one: PersonRecord, names: list[str]) -> list[str]:
    return [one.email, one.name, one.language, one.zone, *(one.attributes.get(name, "") for name in names)]


def _begin(tx: Connection, app: App, actor: Actor, list_name: str, everybody: bool) -> MailingList:
    mailing_list = mailing_lists.get_by_name(tx, list_name)
    actor.require(Permission.CHANGE_PEOPLE, mailing_list.id)
    audit_log.record(
        tx,
        actor,
        Act.EXPORT_PEOPLE,
        subject=f"list {mailing_list.name}",
        mailing_list_id=mailing_list.id,
        after={"everybody": everybody},
        now=app.clock(),
    )
    return mailing_list
