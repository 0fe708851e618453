"""Buttondown's subscribers: the JSON of its API, or the table of its export."""

from __future__ import annotations

import json
import re
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
from mailer.importers.person_fields import PersonFields, join_texts, json_text, keep_known, parse_rows, read_address
from mailer.importers.person_row import EvidenceGrade, PersonRow, SuppressionEntry
from mailer.importers.source_files import SourceFile

_PLACES = ("results.item", "item", "")
_EMAILS = ("email_address", "email")
_TELLING = {"creation_date", "referrer_url", "secondary_id", "unsubscription_date", "utm_campaign", "notes", "metadata"}
"""Names of fields, of which a file of Buttondown has several."""
_OWN = frozenset({"type", "source", "unsubscription_date"})
_STATES = {
    **dict.fromkeys(
        ("regular", "premium", "trialed", "unpaid", "gifted", "churning", "paused", "past_due"),
        SubscriptionState.CONFIRMED,
    ),
    "undeliverable": SubscriptionState.CONFIRMED,
    "unactivated": SubscriptionState.PENDING,
    "upcoming": SubscriptionState.PENDING,
    "unsubscribed": SubscriptionState.UNSUBSCRIBED,
    "removed": SubscriptionState.UNSUBSCRIBED,
    "complained": SubscriptionState.UNSUBSCRIBED,
    "spammy": None,
    "blocked": None,
}
"""What a subscriber's type means. The payment alone is paused, past due or churning."""
_REASONS = {
    "undeliverable": SuppressionReason.BOUNCED,
    "complained": SuppressionReason.COMPLAINED,
    "blocked": SuppressionReason.BANNED,
}
_COMMA = re.compile(r"\s*[,;|]\s*")


def _is_subscriber_file(file: SourceFile) -> bool:
    keys = find_json_keys(file, _PLACES)
    return keys is not None and _is_subscriber(keys)


def _email_column(file: SourceFile) -> str | None:
    """The column of the addresses of a table of subscribers; None for any other file."""
    for column in _EMAILS:
        if (keys := find_headings(file, (column, "type"))) and _is_subscriber(keys):
            return column
    return None


def _is_subscriber(keys: Sequence[str] | frozenset[str]) -> bool:
    return "type" in keys and not {*_EMAILS}.isdisjoint(keys) and len(_TELLING.intersection(keys)) > 2


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    return tuple(one for one in files if _email_column(one) or _is_subscriber_file(one))


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    rows: list[Iterator[tuple[int, PersonRow | BadRow]]] = []
    guessed: list[str] = []
    for file in files:
        column = _email_column(file)
        if column is None:
            rows.append(parse_rows(read_json_records(file, _PLACES), _parse_subscriber, file.base_name))
            continue
        table = open_headed_table(file, (column, "type"), encoding=options.encoding)
        parse = with_added_columns(table, _OWN, options.zone, _row_parser(column))
        rows.append(parse_rows(table.rows, parse, file.base_name))
        guessed += table.guessed
    return ExportRows(rows=chain.from_iterable(rows), guessed=tuple(guessed))


def _row_parser(column: str) -> Callable[[TableCells], PersonRow | None]:
    def parse(cells: TableCells) -> PersonRow | None:
        record: JsonRecord = dict(cells)
        for key in ("metadata", "tags"):
            record[key] = _decode(cells.get(key, ""))
        return _parse_subscriber(record)

    return parse


def _decode(cell: str) -> object:
    """The value of JSON in a cell, or the words with commas between them."""
    if cell[:1] in {"{", "["}:
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return [one for one in _COMMA.split(cell) if one]


def _parse_subscriber(record: JsonRecord) -> PersonRow:
    kind = json_text(record.get("type")).lower()
    if kind not in _STATES:
        raise TableRefused(f"type is {kind!r}, which is not known here")
    state, reason = _STATES[kind], _REASONS.get(kind)
    fields = PersonFields()
    metadata = record.get("metadata")
    fields.add_json(metadata if isinstance(metadata, Mapping) else {})
    tags = record.get("tags")
    fields.add_attribute("tags", join_texts([_tag_name(one) for one in tags]) if isinstance(tags, list) else "")
    created, left = (json_text(record.get(key)) for key in ("creation_date", "unsubscription_date"))
    joined, changed_at = parse_export_time(created, zone="UTC"), parse_export_time(left, zone="UTC")
    if state is SubscriptionState.CONFIRMED and left:
        state = SubscriptionState.UNSUBSCRIBED
        fields.remarks.append(f"left on {left}, though the type is {kind}: is taken as unsubscribed")
    confirmed = state is SubscriptionState.CONFIRMED
    everywhere = reason is SuppressionReason.COMPLAINED
    ip_address = json_text(record.get("ip_address"))
    return PersonRow(
        address=read_address(json_text(record.get("email_address") or record.get("email"))),
        language=fields.language,
        attributes=fields.attributes,
        state=state,
        suppressions=(SuppressionEntry(reason=reason, everywhere=everywhere, since=changed_at),) if reason else (),
        agreed_at=joined if confirmed else None,
        changed_at=changed_at if state is SubscriptionState.UNSUBSCRIBED else None,
        evidence_grade=EvidenceGrade.SOME if confirmed and joined else EvidenceGrade.NONE,
        evidence=keep_known(
            {
                "optin": created,
                "optin_ip": ip_address,
                "source": json_text(record.get("source")),
                "reason": json_text(record.get("unsubscription_reason")),
                "note": json_text(record.get("notes")),
                "type": "" if kind == "regular" else kind,
                "by": "owner" if kind in {"removed", "blocked"} else "",
            }
        ),
        remarks=tuple(fields.remarks),
    )


def _tag_name(tag: object) -> str:
    return json_text(tag.get("name")) if isinstance(tag, Mapping) else json_text(tag)


FORMAT = ExportFormat(name="buttondown", title="Buttondown's subscribers", find_files=_find_files, read=_read)
