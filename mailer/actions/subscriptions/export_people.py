"""An organiser takes a list's people out, as the table that brings them back."""

from __future__ import annotations

from typing import Any, TextIO

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.subscription import SubscriptionState
from mailer.importers.people_csv import write_people
from mailer.importers.person_row import PERSON_COLUMNS, STATE_COLUMNS
from mailer.store import mailing_lists, people

_CHUNK = 2000


async def export_people(app: App, *, list_name: str, file: TextIO, everybody: bool = False) -> int:
    """Write a list's confirmed people, or `everybody` with their state, as CSV; how many there are.

    A state is: pending, confirmed or unsubscribed; the orders not to mail them; when they last agreed; since when it
    is so. Cells that a spreadsheet would run are defused; importing such a file gives back what was exported. Raises
    NotFound for an unknown list.
    """
    mailing_list = await app.database.read(mailing_lists.get_by_name, list_name)
    own = (*PERSON_COLUMNS, *STATE_COLUMNS)
    attributes = await app.database.read(_attribute_names, mailing_list.id)
    columns = [*(own if everybody else PERSON_COLUMNS), *(name for name in attributes if name not in own)]
    file.write(",".join(columns) + "\n")
    after = written = 0
    while found := await app.database.read(_page, mailing_list.id, after):
        after, rows = found
        told = [cells for cells in rows if everybody or cells["state"] == SubscriptionState.CONFIRMED]
        write_people(file, columns, told)
        written += len(told)
    return written


def _attribute_names(tx: Connection, mailing_list_id: int) -> list[str]:
    names: set[str] = set()
    after = 0
    while rows := people.list_page(tx, mailing_list_id, after, _CHUNK):
        after = rows[-1].id
        names.update(*(row.attributes for row in rows))
    return sorted(names)


def _page(tx: Connection, mailing_list_id: int, after: int) -> tuple[int, list[dict[str, str]]] | None:
    """The last of the next subscriptions, and their people's cells; None at the end."""
    rows = people.list_page(tx, mailing_list_id, after, _CHUNK)
    if not rows:
        return None
    orders = people.list_suppressions(tx, mailing_list_id, [row.suppression_key for row in rows])
    agreed = people.last_agreements(tx, mailing_list_id, [row.subscriber_id for row in rows])
    told: list[dict[str, Any]] = [
        {
            **row.attributes,
            "email": row.address,
            "name": row.name,
            "language": row.language,
            "zone": row.zone,
            "state": row.state,
            "suppressed": "; ".join(map(str, orders.get(row.suppression_key, ()))),
            "agreed_at": agreed[row.subscriber_id].isoformat() if row.subscriber_id in agreed else "",
            "changed_at": row.changed_at.isoformat(),
        }
        for row in rows
    ]
    return rows[-1].id, [{column: cell or "" for column, cell in cells.items()} for cells in told]
