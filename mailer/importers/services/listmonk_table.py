"""The table of subscribers that listmonk's pages export, which has no state of the lists that people are on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers.added_columns import with_added_columns
from mailer.importers.bad_row import BadRow
from mailer.importers.column_words import is_departed_file_name
from mailer.importers.export_format import ExportRows, ReadOptions
from mailer.importers.export_times import parse_export_time
from mailer.importers.headed_table import TableCells, find_headings, open_headed_table
from mailer.importers.person_fields import PersonFields, parse_rows, read_address
from mailer.importers.person_row import EvidenceGrade, PersonRow
from mailer.importers.services.listmonk_subscribers import account_row
from mailer.importers.source_files import SourceFile

_STATUS = ("email", "status")
_TELLING = ({"uuid", "attributes"}, {"uuid", "created_at"}, {"attributes", "created_at"}, {"attribs"})
"""Columns of which all of one group are in a table of subscribers, beside _STATUS."""
_STATE_WORD = re.compile(r"((?:un|non?|not|nicht)[-_ ]?)?(subscribed|confirmed)", re.IGNORECASE)
_STATES = {
    "unsubscribed": SubscriptionState.UNSUBSCRIBED,
    "unconfirmed": SubscriptionState.PENDING,
    "confirmed": SubscriptionState.CONFIRMED,
}
"""The word of a file's name -> the state of the people in it; of several words the first here counts."""


def is_subscriber_table(file: SourceFile) -> bool:
    """Whether a file is a table of subscribers."""
    keys = find_headings(file, _STATUS)
    return keys is not None and any(one <= {*keys} for one in _TELLING)


def read_tables(files: Sequence[SourceFile], options: ReadOptions, *, beside_api: bool) -> ExportRows:
    """The people of tables, whose names say their state, or `options`. Raises TableRefused where nothing does.

    Beside the API's JSON, or beside tables whose names say it, any other table adds only who is on the blocklist.
    """
    beside = beside_api or any(map(_file_state, files))
    rows: list[Iterator[tuple[int, PersonRow | BadRow]]] = []
    guessed: list[str] = []
    for file in files:
        state = _file_state(file) or (None if beside else options.state)
        if state is None and not beside:
            raise TableRefused(
                f"{file.base_name} does not say who is on a list: its status is the account's. Export each "
                "subscription status apart as confirmed.csv, unconfirmed.csv and unsubscribed.csv, or use the "
                "JSON of /api/subscribers, or say --state"
            )
        table = open_headed_table(file, _STATUS, encoding=options.encoding)
        if _file_state(file):
            guessed.append(f"{file.base_name}: its people are {state}, by the name of the file")
        guessed += table.guessed
        parse = with_added_columns(table, ("status",), options.zone, _row_parser(state))
        rows.append(parse_rows(table.rows, parse, file.base_name))
    return ExportRows(rows=chain.from_iterable(rows), guessed=tuple(guessed))


def _file_state(file: SourceFile) -> SubscriptionState | None:
    for name in (file.base_name, file.name):
        words = {f"un{word}" if no else word for no, word in _STATE_WORD.findall(name.lower())}
        state = next((state for word, state in _STATES.items() if word in words), None)
        if state in {None, SubscriptionState.CONFIRMED} and is_departed_file_name(name):
            return SubscriptionState.UNSUBSCRIBED
        if state:
            return state
    return None


def _row_parser(state: SubscriptionState | None) -> Callable[[TableCells], PersonRow | None]:
    def parse(cells: TableCells) -> PersonRow | None:
        if state is None and cells["status"].lower() in {"enabled", "disabled"}:
            return None
        fields = PersonFields(name=cells.get("name") or None)
        _add_attributes(fields, cells.get("attributes") or cells.get("attribs", ""))
        created = cells.get("created_at", "")
        agreed = state is SubscriptionState.CONFIRMED
        return account_row(
            read_address(cells["email"]),
            cells["status"].lower(),
            state or SubscriptionState.UNSUBSCRIBED,
            fields,
            agreed_at=parse_export_time(created, zone="UTC") if agreed else None,
            changed_at=None,
            grade=EvidenceGrade.SOME if agreed and created else EvidenceGrade.NONE,
            evidence={"created": created},
            uuid=cells.get("uuid", ""),
        )

    return parse


def _add_attributes(fields: PersonFields, cell: str) -> None:
    try:
        attributes = json.loads(cell or "{}")
    except (ValueError, RecursionError):
        attributes = None
    if isinstance(attributes, dict):
        fields.add_json(attributes)
    else:
        fields.remarks.append("attributes is no object of JSON: left out")
