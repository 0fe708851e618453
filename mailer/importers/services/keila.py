"""Keila's contacts: the table that its pages export, and the JSON of its API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.added_columns import with_added_columns
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.export_times import parse_export_time
from mailer.importers.headed_table import TableCells, find_headings, open_headed_table
from mailer.importers.json_records import JsonRecord, find_json_keys, read_json_records
from mailer.importers.person_cells import full_name
from mailer.importers.person_fields import PersonFields, json_text, keep_known, parse_rows, read_address, state_of_all
from mailer.importers.person_row import EvidenceGrade, PersonRow, SuppressionEntry
from mailer.importers.source_files import SourceFile

_REQUIRED = ("email", "first name", "last name", "data")
_PLACES = ("data.item", "item", "")
_CONTACT_KEYS = {"email", "first_name", "last_name", "data", "status"}
_STATES = {
    "active": SubscriptionState.CONFIRMED,
    "unsubscribed": SubscriptionState.UNSUBSCRIBED,
    "unreachable": SubscriptionState.CONFIRMED,
}


def _is_contact_file(file: SourceFile) -> bool:
    keys = find_json_keys(file, _PLACES)
    return keys is not None and keys >= _CONTACT_KEYS


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    return tuple(one for one in files if find_headings(one, _REQUIRED) or _is_contact_file(one))


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    rows: list[Iterator[tuple[int, PersonRow | BadRow]]] = []
    guessed: list[str] = []
    for file in files:
        if _is_contact_file(file):
            rows.append(parse_rows(read_json_records(file, _PLACES), _parse_contact, file.base_name))
            continue
        table = open_headed_table(file, _REQUIRED, needed=("status",), encoding=options.encoding)
        if "status" not in table.keys and state_of_all(file, options) is None:
            raise TableRefused(
                f"{file.base_name} is of an older Keila, and does not say who unsubscribed: export it by a newer one, "
                "or take those people out, and say --state"
            )
        parse = with_added_columns(table, ("status",), options.zone, _row_parser(state_of_all(file, options)))
        rows.append(parse_rows(table.rows, parse, file.base_name))
        guessed += table.guessed
    return ExportRows(rows=chain.from_iterable(rows), guessed=tuple(guessed))


def _row_parser(state: SubscriptionState | None) -> Callable[[TableCells], PersonRow | None]:
    def parse(cells: TableCells) -> PersonRow | None:
        fields = PersonFields(name=_name(cells["first name"], cells["last name"]))
        try:
            data = json.loads(cells["data"] or "{}")
        except (ValueError, RecursionError):
            data = None
        if isinstance(data, dict):
            fields.add_json(data)
        else:
            fields.remarks.append("Data is no object of JSON: left out")
        fields.add_attribute("external_id", cells.get("external id", ""))
        return _contact_row(cells["email"], cells.get("status"), state, fields, {})

    return parse


def _parse_contact(contact: JsonRecord) -> PersonRow:
    fields = PersonFields(name=_name(json_text(contact.get("first_name")), json_text(contact.get("last_name"))))
    data = contact.get("data")
    fields.add_json(data if isinstance(data, Mapping) else {})
    fields.add_attribute("external_id", json_text(contact.get("external_id")))
    times = {
        "optin": json_text(contact.get("inserted_at")),
        "confirm": json_text(contact.get("double_opt_in_at")),
        "changed": json_text(contact.get("updated_at")),
    }
    return _contact_row(json_text(contact.get("email")), json_text(contact.get("status")), None, fields, times)


def _contact_row(
    email: str, status: str | None, state: SubscriptionState | None, fields: PersonFields, times: Mapping[str, str]
) -> PersonRow:
    """A contact with this status; `state` is that of all contacts where there is none."""
    if status is not None:
        if status.lower() not in _STATES:
            raise TableRefused(f"Status is {status!r}, which is not known here")
        state = _STATES[status.lower()]
    changed = parse_export_time(times.get("changed", ""), zone="UTC")
    confirmed = parse_export_time(times.get("confirm", ""), zone="UTC")
    agreed = confirmed or parse_export_time(times.get("optin", ""), zone="UTC")
    bounced = (status or "").lower() == "unreachable"
    bounce = SuppressionEntry(reason=SuppressionReason.BOUNCED, everywhere=False, since=changed)
    grade = EvidenceGrade.STRONG if confirmed else EvidenceGrade.SOME if agreed else EvidenceGrade.NONE
    return PersonRow(
        address=read_address(email),
        name=fields.name,
        language=fields.language,
        attributes=fields.attributes,
        state=state,
        suppressions=(bounce,) if bounced else (),
        agreed_at=agreed if state is SubscriptionState.CONFIRMED else None,
        changed_at=changed if state is not SubscriptionState.CONFIRMED else None,
        evidence_grade=grade,
        evidence=keep_known(times),
        remarks=tuple(fields.remarks),
    )


def _name(first: str, last: str) -> str | None:
    return full_name({"first_name": first, "last_name": last})


FORMAT = ExportFormat(name="keila", title="Keila's contacts", find_files=_find_files, read=_read)
