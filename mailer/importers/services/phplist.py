"""phpList's export of subscribers, and beside it the tables of its blacklist."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.added_columns import with_added_columns
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.export_times import parse_export_time
from mailer.importers.headed_table import HeadedTable, TableCells, find_headings, open_headed_table
from mailer.importers.person_fields import (
    FieldColumns,
    field_columns,
    keep_known,
    parse_rows,
    read_address,
    read_yes,
)
from mailer.importers.person_row import EvidenceGrade, PersonRow, SuppressionEntry
from mailer.importers.services.phplist_blacklist import is_blacklist, read_blacklist
from mailer.importers.services.phplist_lists import find_members, membership_column
from mailer.importers.source_files import SourceFile

_CONFIRMED, _BLACKLISTED = "is this subscriber confirmed", "is this subscriber blacklisted"
_OPTED_IN, _BOUNCES = "did this subscriber manually confirm", "number of bounces"
_ENTERED, _MODIFIED, _DISABLED = "entered", "last modified", "is this account disabled?"
_EXTRA = "additional data"
_CORE = frozenset(
    {
        *("id", "email", _CONFIRMED, _BLACKLISTED, _OPTED_IN, _BOUNCES, _ENTERED, _MODIFIED, _DISABLED, _EXTRA),
        *("unique id", "uuid", "send this subscriber html emails", "rss frequency", "foreign key"),
        *("subscribe page", "password", "date password last changed", "last sent", "subscription page"),
        *("ip", "change summary", "change detail"),
    }
)
"""The columns that are not the installation's own attributes."""
_ESCAPED = ("' =", "' +", "' -", "' @")
_RECOGNIZED = (_CONFIRMED, _BLACKLISTED, _OPTED_IN, "unique id", "send this subscriber html emails", _DISABLED)


def _is_export(file: SourceFile) -> bool:
    keys = find_headings(file, ("email",))
    return keys is not None and len({*keys} & {*_RECOGNIZED}) > 1


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    exports = [one for one in files if _is_export(one)]
    if not exports:
        return ()
    return (*exports, *(one for one in files if one not in exports and is_blacklist(one)))


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    rows: list[Iterator[tuple[int, PersonRow | BadRow]]] = []
    guessed: list[str] = []
    for file in files:
        if is_blacklist(file):
            rows.append(read_blacklist(file, options))
            continue
        table = open_headed_table(file, ("email",), needed=_CORE, encoding=options.encoding)
        missing = [column for column in (_CONFIRMED, _BLACKLISTED) if column not in table.keys]
        if missing and options.state is None:
            names = " and ".join(map(repr, missing))
            raise TableRefused(f"{file.base_name} has no column {names}: export it with that, or say --state")
        lists = membership_column(table.keys, _CORE)
        if lists is None:
            raise TableRefused(f"{file.base_name}: a column, or the last, must name the lists that people are on")
        members = find_members(file, lists, options)
        guessed += (*table.guessed, *members.guessed)
        rows.append(parse_rows(table.rows, _row_parser(table, members.is_member, options), file.base_name))
    if options.zone is None:
        guessed.append("its times are those of phpList's server, and kept as text unless you say --zone")
    return ExportRows(rows=chain.from_iterable(rows), guessed=tuple(guessed))


def _row_parser(
    table: HeadedTable, is_member: Callable[[TableCells], bool], options: ReadOptions
) -> Callable[[TableCells], PersonRow | None]:
    own = {*_CORE, membership_column(table.keys, _CORE)}
    columns = zip(table.keys, table.headings, strict=True)
    fields_of = field_columns([one for one in columns if one[0] not in own], options)

    def parse(cells: TableCells) -> PersonRow | None:
        return _parse_row(_undo_escapes(cells), fields_of, is_member(cells), options)

    return with_added_columns(table, _CORE, options.zone, parse)


def _undo_escapes(cells: TableCells) -> TableCells:
    """The cells without the apostrophe and blank that phpList puts before what spreadsheets take for formulas."""
    if not any(cell.startswith("' ") for cell in cells.values()):
        return cells
    return {key: cell[2:] if cell.startswith(_ESCAPED) else cell for key, cell in cells.items()}


def _parse_row(cells: TableCells, fields_of: FieldColumns, is_member: bool, options: ReadOptions) -> PersonRow | None:
    blacklisted, disabled, opted_in = (read_yes(cells, column) for column in (_BLACKLISTED, _DISABLED, _OPTED_IN))
    if not is_member and not blacklisted:
        return None
    fields = fields_of.read(cells)
    modified = parse_export_time(cells.get(_MODIFIED, ""), zone=options.zone)
    suppressions, changed_at = [], None
    state = _confirmed_state(cells, options)
    bounces = cells.get(_BOUNCES, "0") or "0"
    if blacklisted:
        state, changed_at = SubscriptionState.UNSUBSCRIBED, modified
        suppressions.append(SuppressionEntry(reason=SuppressionReason.LEFT, everywhere=True, since=modified))
    if opted_in and bounces != "0" and not read_yes(cells, _CONFIRMED):
        state = SubscriptionState.UNSUBSCRIBED
        suppressions.append(SuppressionEntry(reason=SuppressionReason.BOUNCED, everywhere=False, since=None))
    if disabled:
        suppressions.append(SuppressionEntry(reason=SuppressionReason.PAUSED, everywhere=False, since=None))
    agreed = state is SubscriptionState.CONFIRMED and opted_in
    if bounces != "0":
        fields.remarks.append(f"{bounces} bounces on record")
    return PersonRow(
        address=read_address(cells["email"]),
        name=fields.name,
        language=fields.language,
        zone=fields.zone,
        attributes=fields.attributes,
        state=state,
        suppressions=tuple(suppressions),
        agreed_at=modified if agreed else None,
        changed_at=changed_at,
        evidence_grade=EvidenceGrade.SOME if agreed else EvidenceGrade.NONE,
        evidence=_evidence(cells, agreed=agreed, disabled=disabled),
        source_token=cells.get("unique id") or None,
        remarks=tuple(fields.remarks),
    )


def _confirmed_state(cells: TableCells, options: ReadOptions) -> SubscriptionState:
    if _CONFIRMED not in cells and options.state is not None:
        return options.state
    return SubscriptionState.CONFIRMED if read_yes(cells, _CONFIRMED) else SubscriptionState.PENDING


def _evidence(cells: TableCells, *, agreed: bool, disabled: bool) -> dict[str, str]:
    return keep_known(
        {
            "optin": cells.get(_ENTERED, ""),
            "confirm": cells.get(_MODIFIED, "") if agreed else "",
            "modified": "" if agreed else cells.get(_MODIFIED, ""),
            "optin_ip": cells.get("ip", ""),
            "note": cells.get(_EXTRA, ""),
            "by": "owner" if disabled else "",
        }
    )


FORMAT = ExportFormat(name="phplist", title="phpList's subscribers", find_files=_find_files, read=_read)
