"""Imports what an export of ours has besides people: suppressions by key alone, and the record of consents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection

from mailer.app import App
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ExportRows
from mailer.importers.person_row import ConsentRow, SuppressedKey
from mailer.store.imports import own_records

_CHUNK = 500
"""Rows of one transaction, during which nobody else writes."""
_T = TypeVar("_T")


@dataclass(slots=True)
class OwnRecords:
    """How much of an export of ours was taken over besides people."""

    keys: int = 0
    """Suppressions that are new here, of people whose addresses the export does not tell."""
    foreign_keys: int = 0
    """Of another secret: they name nobody here."""
    consents: int = 0
    """Lines of the record that are new here."""
    bad_lines: int = 0
    """Of the record: unreadable, or about somebody who is not known here."""


async def import_own_records(app: App, mailing_list_id: int, rows: ExportRows) -> OwnRecords:
    """Take over suppressed keys and the record of consents, after the people; a second time changes nothing."""
    done = OwnRecords()
    for keys in _chunks(rows.suppressed_keys):
        await app.database.write(_import_keys, app, mailing_list_id, keys, done)
    for lines in _chunks(rows.consents):
        await app.database.write(_import_consents, mailing_list_id, lines, done)
    return done


def _chunks(rows: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(rows)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def _import_keys(tx: Connection, app: App, mailing_list_id: int, keys: list[SuppressedKey], done: OwnRecords) -> None:
    known = [one for one in keys if one.secret_id == app.site.keyring.secret_id]
    done.foreign_keys += len(keys) - len(known)
    done.keys += own_records.add_suppressed_keys(tx, mailing_list_id, known, app.clock())


def _import_consents(tx: Connection, mailing_list_id: int, lines: list[ConsentRow | BadRow], done: OwnRecords) -> None:
    rows = [one for one in lines if isinstance(one, ConsentRow)]
    added, unknown = own_records.add_history(tx, mailing_list_id, rows)
    done.consents += added
    done.bad_lines += len(lines) - len(rows) + unknown
