"""Export the people of a list as CSV, in the format that import_people reads."""

from __future__ import annotations

from typing import Any, TextIO

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState
from mailer.importers.people_csv import write_people
from mailer.importers.person_row import PERSON_COLUMNS, STATE_COLUMNS
from mailer.store import mailing_lists, people
from mailer.store.accounts import audit_log

_CHUNK = 2000
"""Subscriptions of one query."""


async def export_people(app: App, actor: Actor, *, list_name: str, file: TextIO, everybody: bool = False) -> int:
    """Write a list's confirmed people as CSV, or `everybody` with state columns. Returns how many were written.

    State columns: pending, confirmed or unsubscribed; suppressions; when the person last agreed; when the state last
    changed. Cells that a spreadsheet would run are escaped. Importing the file restores what was exported. The audit
    log has who began it. Raises NotFound, NotPermitted.
    """
    mailing_list = await app.database.write(_begin, app, actor, list_name, everybody)
    own_columns = (*PERSON_COLUMNS, *STATE_COLUMNS)
    attributes = await app.database.read(_attribute_names, mailing_list.id)
    columns = [
        *(own_columns if everybody else PERSON_COLUMNS),
        *(name for name in attributes if name not in own_columns),
    ]
    file.write(",".join(columns) + "\n")
    after = written = 0
    while page := await app.database.read(_page, mailing_list.id, after):
        after, rows = page
        exported = [cells for cells in rows if everybody or cells["state"] == SubscriptionState.CONFIRMED]
        write_people(file, columns, exported)
        written += len(exported)
    return written


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


def _attribute_names(tx: Connection, mailing_list_id: int) -> list[str]:
    names: set[str] = set()
    after = 0
    while rows := people.list_page(tx, mailing_list_id, after, _CHUNK):
        after = rows[-1].id
        names.update(*(row.attributes for row in rows))
    return sorted(names)


def _page(tx: Connection, mailing_list_id: int, after: int) -> tuple[int, list[dict[str, str]]] | None:
    """The id of the last of the next _CHUNK subscriptions, and their cells by column; None at the end."""
    rows = people.list_page(tx, mailing_list_id, after, _CHUNK)
    if not rows:
        return None
    suppressions = people.list_suppressions(tx, mailing_list_id, [row.suppression_key for row in rows])
    agreed = people.last_agreements(tx, mailing_list_id, [row.subscriber_id for row in rows])
    cells_by_row: list[dict[str, Any]] = [
        {
            **row.attributes,
            "email": row.address,
            "name": row.name,
            "language": row.language,
            "zone": row.zone,
            "state": row.state,
            "suppressed": "; ".join(map(str, suppressions.get(row.suppression_key, ()))),
            "agreed_at": agreed[row.subscriber_id].isoformat() if row.subscriber_id in agreed else "",
            "changed_at": row.changed_at.isoformat(),
        }
        for row in rows
    ]
    return rows[-1].id, [{column: cell or "" for column, cell in cells.items()} for cells in cells_by_row]
