"""Ghost's members: the table that its pages export, and the JSON of its Admin API."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.importers.added_columns import with_added_columns
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.export_times import parse_export_time
from mailer.importers.headed_table import HeadedTable, TableCells, find_headings, open_headed_table
from mailer.importers.json_records import JsonRecord, find_json_keys, read_json_records
from mailer.importers.person_fields import (
    PersonFields,
    field_columns,
    json_text,
    keep_known,
    parse_rows,
    read_address,
    read_yes,
)
from mailer.importers.person_row import EvidenceGrade, PersonRow, SuppressionEntry
from mailer.importers.source_files import SourceFile

_SUBSCRIBED = "subscribed_to_emails"
_REQUIRED = ("email", _SUBSCRIBED)
_OWN = frozenset({_SUBSCRIBED, "deleted_at", "email_disabled"})
_CUSTOM = "custom_fields."
_PLACES = ("members.item", "item", "")
_MEMBER_KEYS = {"email", "uuid", "newsletters"}
_LABELS = re.compile(r"\s*,\s*")


def _is_member_file(file: SourceFile) -> bool:
    keys = find_json_keys(file, _PLACES)
    return keys is not None and keys >= _MEMBER_KEYS


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    return tuple(one for one in files if find_headings(one, _REQUIRED) or _is_member_file(one))


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    rows: list[Iterator[tuple[int, PersonRow | BadRow]]] = []
    guessed: list[str] = []
    for file in files:
        if _is_member_file(file):
            rows.append(parse_rows(read_json_records(file, _PLACES), _parse_member, file.base_name))
            continue
        table = open_headed_table(file, _REQUIRED, needed=("deleted_at", "email_disabled"), encoding=options.encoding)
        rows.append(parse_rows(table.rows, _row_parser(table, options), file.base_name))
        guessed += table.guessed
    return ExportRows(rows=chain.from_iterable(rows), guessed=tuple(guessed))


def _row_parser(table: HeadedTable, options: ReadOptions) -> Callable[[TableCells], PersonRow | None]:
    custom = [
        (key, heading[len(_CUSTOM) :])
        for key, heading in zip(table.keys, table.headings, strict=True)
        if key.startswith(_CUSTOM)
    ]
    fields_of = field_columns(custom, options)

    def parse(cells: TableCells) -> PersonRow | None:
        fields = fields_of.read(cells)
        fields.name = cells.get("name") or fields.name
        for column in ("labels", "tiers", "products"):
            fields.add_attribute(column, ", ".join(filter(None, _LABELS.split(cells.get(column, "").strip()))))
        if read_yes(cells, "complimentary_plan"):
            fields.add_attribute("complimentary_plan", "true")
        if cells.get("stripe_customer_id"):
            fields.remarks.append("pays through Stripe, which does not come along")
        bounced = read_yes(cells, "email_disabled")
        return _member_row(
            cells["email"],
            fields,
            subscribed=read_yes(cells, _SUBSCRIBED),
            created=cells.get("created_at", ""),
            deleted=cells.get("deleted_at", ""),
            suppression=SuppressionReason.BOUNCED if bounced else None,
            note=cells.get("note", ""),
        )

    return with_added_columns(table, _OWN, options.zone, parse)


def _parse_member(member: JsonRecord) -> PersonRow:
    fields = PersonFields(name=json_text(member.get("name")) or None)
    for column in ("labels", "tiers", "products"):
        fields.add_attribute(column, ", ".join(_names(member.get(column))))
    suppression = member.get("email_suppression")
    suppressed = isinstance(suppression, Mapping) and suppression.get("suppressed") is True
    info = suppression.get("info") if isinstance(suppression, Mapping) else None
    spam = isinstance(info, Mapping) and info.get("reason") == "spam"
    newsletters = member.get("newsletters")
    return _member_row(
        json_text(member.get("email")),
        fields,
        subscribed=bool(newsletters) and member.get("subscribed") is not False,
        created=json_text(member.get("created_at")),
        deleted="",
        suppression=(SuppressionReason.COMPLAINED if spam else SuppressionReason.BOUNCED) if suppressed else None,
        note=json_text(member.get("note")),
    )


def _names(values: object) -> list[str]:
    found = values if isinstance(values, list) else []
    return [json_text(one.get("name")) if isinstance(one, Mapping) else json_text(one) for one in found]


def _member_row(
    email: str,
    fields: PersonFields,
    *,
    subscribed: bool,
    created: str,
    deleted: str,
    suppression: SuppressionReason | None,
    note: str,
) -> PersonRow:
    complained = suppression is SuppressionReason.COMPLAINED
    confirmed = subscribed and not deleted and not complained
    joined = parse_export_time(created, zone="UTC")
    suppressions = (SuppressionEntry(reason=suppression, everywhere=complained, since=None),) if suppression else ()
    return PersonRow(
        address=read_address(email),
        name=fields.name,
        language=fields.language,
        zone=fields.zone,
        attributes=fields.attributes,
        state=SubscriptionState.CONFIRMED if confirmed else SubscriptionState.UNSUBSCRIBED,
        suppressions=suppressions,
        agreed_at=joined if confirmed else None,
        changed_at=parse_export_time(deleted, zone="UTC"),
        evidence_grade=EvidenceGrade.SOME if confirmed and joined else EvidenceGrade.NONE,
        evidence=keep_known({"optin": created, "deleted": deleted, "note": note}),
        remarks=tuple(fields.remarks),
    )


FORMAT = ExportFormat(name="ghost", title="Ghost's members", find_files=_find_files, read=_read)
