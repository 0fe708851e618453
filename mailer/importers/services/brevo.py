"""Brevo's contacts: the table of its export, and the JSON of its API."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.added_columns import with_added_columns
from mailer.importers.bad_row import BadRow
from mailer.importers.column_words import is_departed_file_name, read_flag
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.export_times import parse_export_time
from mailer.importers.headed_table import HeadedTable, TableCells, find_headings, open_headed_table
from mailer.importers.json_records import JsonRecord, find_json_keys, read_json_records
from mailer.importers.person_fields import PersonFields, field_columns, json_text, keep_known, parse_rows, read_address
from mailer.importers.person_row import EvidenceGrade, PersonRow, SuppressionEntry
from mailer.importers.services.brevo_status import STATUS_COLUMNS, is_blocklisted, read_status
from mailer.importers.source_files import SourceFile

_PLACES = ("contacts.item", "item", "")
_CONTACT_KEYS = {"email", "emailBlacklisted"}
_ADDED, _MODIFIED, _LISTS, _DOUBLE_OPT_IN = "added_time", "modified_time", "_listids", "double_opt-in"
_RECOGNIZED = ((_ADDED, _MODIFIED), ("contact id",), ("_blocklisted",), ("_subscribed",))
"""Columns of which all of one group are in a table of contacts, beside email."""
_OWN = {"email", _ADDED, _MODIFIED, _LISTS, _DOUBLE_OPT_IN, "contact id", *STATUS_COLUMNS}
_NUMBER = re.compile(r"\d+")


def _is_table(file: SourceFile) -> bool:
    keys = find_headings(file, ("email",))
    return keys is not None and any({*columns} <= {*keys} for columns in _RECOGNIZED)


def _is_contact_file(file: SourceFile) -> bool:
    keys = find_json_keys(file, _PLACES)
    return keys is not None and keys >= _CONTACT_KEYS


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    return tuple(one for one in files if _is_table(one) or _is_contact_file(one))


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    rows: list[Iterator[tuple[int, PersonRow | BadRow]]] = []
    guessed: list[str] = []
    for file in files:
        if _is_contact_file(file):
            records = read_json_records(file, _PLACES)
            rows.append(parse_rows(records, lambda record: _parse_contact(record, options), file.base_name))
            continue
        table = open_headed_table(file, ("email",), needed=STATUS_COLUMNS, encoding=options.encoding)
        state = options.state
        if is_departed_file_name(file.base_name):
            state = SubscriptionState.UNSUBSCRIBED
            guessed.append(f"{file.base_name}: its people are unsubscribed, by the name of the file")
        elif state is None and {*STATUS_COLUMNS}.isdisjoint(table.keys):
            raise TableRefused(
                f"{file.base_name} does not say who unsubscribed: Brevo exports blocklisted contacts apart. Export "
                "with the subscription status, or take those people out, and say --state"
            )
        rows.append(parse_rows(table.rows, _row_parser(table, state, options), file.base_name))
        guessed += table.guessed
    return ExportRows(rows=chain.from_iterable(rows), guessed=tuple(guessed))


def _row_parser(
    table: HeadedTable, state: SubscriptionState | None, options: ReadOptions
) -> Callable[[TableCells], PersonRow | None]:
    columns = zip(table.keys, table.headings, strict=True)
    fields_of = field_columns([one for one in columns if one[0] not in _OWN], options)

    def parse(cells: TableCells) -> PersonRow | None:
        if options.source_list and _LISTS in cells and options.source_list not in _NUMBER.findall(cells[_LISTS]):
            return None
        return _contact_row(
            cells["email"],
            state if state is SubscriptionState.UNSUBSCRIBED else read_status(cells, state),
            fields_of.read(cells),
            blocklisted=is_blocklisted(cells),
            double_opt_in=cells.get(_DOUBLE_OPT_IN, ""),
            added=cells.get(_ADDED, ""),
            zone=options.zone or "UTC",
        )

    return with_added_columns(table, _OWN, options.zone, parse)


def _parse_contact(contact: JsonRecord, options: ReadOptions) -> PersonRow | None:
    lists, left = (_numbers(contact.get(key)) for key in ("listIds", "listUnsubscribed"))
    blocklisted = contact.get("emailBlacklisted")
    if not isinstance(blocklisted, bool):
        raise TableRefused(f"emailBlacklisted is {blocklisted!r}: it must be true or false")
    wanted = options.source_list
    if wanted is None and len(lists | left) > 1:
        raise TableRefused(f"is on lists {', '.join(sorted(lists | left))}: say which is moved with --source-list")
    if wanted is not None and wanted not in lists | left and not blocklisted:
        return None
    fields = PersonFields()
    attributes = contact.get("attributes")
    attributes = dict(attributes) if isinstance(attributes, Mapping) else {}
    first, last = (json_text(attributes.pop(key, "")) for key in ("FIRSTNAME", "LASTNAME"))
    fields.name = f"{first} {last}".strip() or None
    double_opt_in = json_text(attributes.pop("DOUBLE_OPT-IN", ""))
    fields.add_json(attributes)
    on_list = lists if wanted is None else lists & {wanted}
    gone = left if wanted is None else left & {wanted}
    state = SubscriptionState.CONFIRMED if on_list else None
    return _contact_row(
        json_text(contact.get("email")),
        SubscriptionState.UNSUBSCRIBED if gone else state,
        fields,
        blocklisted=blocklisted,
        double_opt_in=double_opt_in,
        added=json_text(contact.get("createdAt")),
        zone="UTC",
    )


def _numbers(value: object) -> set[str]:
    return set(map(json_text, value)) if isinstance(value, list) else set()


def _contact_row(
    email: str,
    state: SubscriptionState | None,
    fields: PersonFields,
    *,
    blocklisted: bool,
    double_opt_in: str,
    added: str,
    zone: str,
) -> PersonRow:
    if state is SubscriptionState.CONFIRMED and (double_opt_in == "2" or read_flag(double_opt_in) is False):
        state = SubscriptionState.PENDING
    if blocklisted:
        state = SubscriptionState.UNSUBSCRIBED
    confirmed = state is SubscriptionState.CONFIRMED
    agreed_at = parse_export_time(added, zone=zone, day_first=True) if confirmed else None
    left = SuppressionEntry(reason=SuppressionReason.LEFT, everywhere=True, since=None)
    strong = confirmed and read_flag(double_opt_in) is True
    grade = EvidenceGrade.SOME if agreed_at or strong else EvidenceGrade.NONE
    return PersonRow(
        address=read_address(email),
        name=fields.name,
        language=fields.language,
        zone=fields.zone,
        attributes=fields.attributes,
        state=state,
        suppressions=(left,) if blocklisted else (),
        agreed_at=agreed_at,
        evidence_grade=grade,
        evidence=keep_known({"optin": added, "double_opt_in": double_opt_in}),
        remarks=tuple(fields.remarks),
    )


FORMAT = ExportFormat(name="brevo", title="Brevo's contacts", find_files=_find_files, read=_read)
