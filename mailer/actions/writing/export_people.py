"""An organiser takes a list's people out, as the table that brings them back."""

from __future__ import annotations

from typing import Any, TextIO

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.person_row import OWN_COLUMNS
from mailer.domain.subscription import SubscriptionState
from mailer.mail.people_table import write_people
from mailer.store import mailing_lists, subscriptions

_CHUNK = 2000


async def export_people(app: App, *, list_name: str, file: TextIO, everybody: bool = False) -> int:
    """Write a list's confirmed people (or `everybody`, with their state) as CSV; how many there are.

    Cells that a spreadsheet would run are defused; importing such a file gives back what was exported.
    Raises NotFound for an unknown list.
    """
    mailing_list = await app.database.read(mailing_lists.named, list_name)
    attributes = await app.database.read(_attribute_names, mailing_list.id)
    columns = [*(OWN_COLUMNS if everybody else OWN_COLUMNS[:-1]), *attributes]
    file.write(",".join(columns) + "\n")
    after = written = 0
    while rows := await app.database.read(subscriptions.people, mailing_list.id, after, _CHUNK):
        after = rows[-1].id
        people = [_cells(row) for row in rows if everybody or row.state == SubscriptionState.CONFIRMED]
        write_people(file, columns, people)
        written += len(people)
    return written


def _attribute_names(tx: Connection, mailing_list_id: int) -> list[str]:
    names: set[str] = set()
    after = 0
    while rows := subscriptions.people(tx, mailing_list_id, after, _CHUNK):
        after = rows[-1].id
        names.update(*(row.attributes for row in rows))
    return sorted(names)


def _cells(row: Any) -> dict[str, str]:
    own = {"email": row.address, "name": row.name, "language": row.language, "zone": row.zone, "state": row.state}
    return row.attributes | {column: cell or "" for column, cell in own.items()}
