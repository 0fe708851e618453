"""Substack's subscribers: the older table of its export, and the newer one of its subscriber dashboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.added_columns import with_added_columns
from mailer.importers.bad_row import BadRow
from mailer.importers.column_words import is_state_heading
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.export_times import parse_export_time
from mailer.importers.headed_table import TableCells, find_headings, open_headed_table
from mailer.importers.person_fields import PersonFields, keep_known, parse_rows, read_address, read_yes, state_of_all
from mailer.importers.person_row import EvidenceGrade, PersonRow, SuppressionEntry
from mailer.importers.source_files import SourceFile
from mailer.importers.state_words import is_departed_cell

_OLDER = ("email", "active_subscription", "email_disabled")
_NEWER = (("email", "type", "stripe plan"), ("email", "type", "start date", "sections"))
_ERASED = "@deletion-request.substack.com"
_DISABLED_COLUMNS = ("email_disabled", "email disabled", "emails disabled")
_NO_STATE = ("type", "state", "stripe plan", "cancel date", "email", "name", "country")
"""Columns of the newer table that do not say whether a person gets letters, though their headings look so."""
_TYPES = frozenset(
    {
        *("free", "paid", "subscriber", "comp", "comped", "complimentary", "gift", "gifted", "trial", "free trial"),
        *("lifetime", "founding", "founding member", "author", "annual", "yearly", "monthly", "group", "free signup"),
    }
)
"""How people of the newer table pay: all of them get letters."""


def _required(file: SourceFile) -> tuple[str, ...] | None:
    """The columns by which a file is one of the tables; None for any other."""
    return next((columns for columns in (_OLDER, *_NEWER) if find_headings(file, columns)), None)


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    return tuple(one for one in files if _required(one))


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    rows: list[Iterator[tuple[int, PersonRow | BadRow]]] = []
    guessed: list[str] = []
    for file in files:
        required = _required(file) or _OLDER
        table = open_headed_table(file, required, needed=_DISABLED_COLUMNS, encoding=options.encoding)
        state = state_of_all(file, options) or SubscriptionState.CONFIRMED
        parse = _row_parser(state, older=required is _OLDER)
        own = (*_OLDER, *_DISABLED_COLUMNS, *_NO_STATE)
        parse = with_added_columns(table, own, options.zone, parse)
        rows.append(parse_rows(table.rows, parse, file.base_name))
        guessed += table.guessed
    return ExportRows(rows=chain.from_iterable(rows), guessed=tuple(guessed))


def _row_parser(state: SubscriptionState, *, older: bool) -> Callable[[TableCells], PersonRow | None]:
    def parse(cells: TableCells) -> PersonRow | None:
        email = cells["email"]
        if email.lower().endswith(_ERASED):
            raise TableRefused(f"{email} stands for a person whom Substack has erased: passed over")
        fields = PersonFields(name=cells.get("name") or None)
        if older:
            if read_yes(cells, "active_subscription"):
                fields.add_attribute("paid_until", cells.get("expiry", "").partition("T")[0])
        else:
            _read_plan(cells, fields)
        disabled = any(read_yes(cells, column) for column in _DISABLED_COLUMNS)
        started = cells.get("created_at", "") if older else cells.get("start date", "")
        agreed_at = parse_export_time(started, zone="UTC", day_first=False)
        pause = SuppressionEntry(reason=SuppressionReason.PAUSED, everywhere=False, since=None)
        return PersonRow(
            address=read_address(email),
            name=fields.name,
            attributes=fields.attributes,
            state=state,
            suppressions=(pause,) if disabled else (),
            delivery_mode=DeliveryMode.DIGEST if read_yes(cells, "prefer_digests") else DeliveryMode.EACH,
            agreed_at=agreed_at,
            evidence_grade=EvidenceGrade.SOME if agreed_at else EvidenceGrade.NONE,
            evidence=keep_known({"optin": started}),
            remarks=tuple(fields.remarks),
        )

    return parse


def _read_plan(cells: TableCells, fields: PersonFields) -> None:
    """Keep what the newer table says of payments. Raises TableRefused for a type that is not known."""
    if cells["type"].lower() not in {*_TYPES, ""}:
        raise TableRefused(f"Type is {cells['type']!r}, which is not known here")
    for column, cell in cells.items():
        if cell and column not in _NO_STATE and is_state_heading(column) and is_departed_cell(cell):
            raise TableRefused(f"{column} is {cell!r}, which may say that they left")
    for column, name in (("type", "type"), ("stripe plan", "plan"), ("sections", "sections"), ("country", "country")):
        fields.add_attribute(name, cells.get(column, ""))
    fields.add_attribute("region", cells.get("state", ""))
    fields.add_attribute("paid_until", cells.get("expiration date", ""))


FORMAT = ExportFormat(name="substack", title="Substack's subscribers", find_files=_find_files, read=_read)
