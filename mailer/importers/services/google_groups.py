"""Google Groups' members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain

from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.added_columns import with_added_columns
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.headed_table import TableCells, find_headings, open_headed_table
from mailer.importers.person_fields import keep_known, parse_rows, read_address
from mailer.importers.person_row import EvidenceGrade, ListRole, PersonRow, SuppressionEntry
from mailer.importers.services.google_words import ALLOWED, BOUNCING, PREFERENCES, STATUSES
from mailer.importers.source_files import SourceFile

_REQUIRED = ("email address", "group status", "email preference")
_STATE_COLUMNS = ("email status", "posting permissions")
_JOINED = ("join year", "join month", "join day")
_STATES = {
    "owner": SubscriptionState.CONFIRMED,
    "manager": SubscriptionState.CONFIRMED,
    "member": SubscriptionState.CONFIRMED,
    "pending": SubscriptionState.PENDING,
    "invited": None,
    "banned": None,
}
_ROLES = {"owner": ListRole.OWNER, "manager": ListRole.MODERATOR}


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    return tuple(one for one in files if find_headings(one, _REQUIRED))


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    rows: list[Iterator[tuple[int, PersonRow | BadRow]]] = []
    guessed: list[str] = []
    for file in files:
        table = open_headed_table(file, _REQUIRED, needed=_STATE_COLUMNS, encoding=options.encoding)
        parse = with_added_columns(table, (*_REQUIRED, *_STATE_COLUMNS), options.zone, _parse_member)
        rows.append(parse_rows(table.rows, parse, file.base_name))
        guessed += table.guessed
    return ExportRows(rows=chain.from_iterable(rows), guessed=tuple(guessed))


def _parse_member(cells: TableCells) -> PersonRow:
    status = _known(cells, "group status", STATUSES)
    state = _STATES[status]
    preference = _known(cells, "email preference", PREFERENCES) if state is not None else "each"
    suppressions = []
    if _known(cells, "email status", BOUNCING) == "bouncing":
        suppressions.append(SuppressionReason.BOUNCED)
    if preference == "none":
        suppressions.append(SuppressionReason.PAUSED)
    if status == "banned":
        suppressions.append(SuppressionReason.BANNED)
    may_post = ALLOWED.get(cells.get("posting permissions", "").casefold(), "allowed")
    joined = _join_day(cells) if state is SubscriptionState.CONFIRMED else None
    return PersonRow(
        address=read_address(cells["email address"]),
        name=cells.get("nickname") or None,
        attributes={},
        state=state,
        delivery_mode=DeliveryMode.DIGEST_MIME if preference == "digest" else DeliveryMode.EACH,
        role=_ROLES.get(status),
        preferences={"may_post": False} if may_post == "not allowed" else {},
        suppressions=tuple(SuppressionEntry(reason=one, everywhere=False, since=None) for one in suppressions),
        agreed_at=joined,
        evidence_grade=EvidenceGrade.SOME if joined else EvidenceGrade.NONE,
        evidence=keep_known({"optin": _join_words(cells), "by": "owner" if status == "banned" else ""}),
        remarks=("was invited, and did not answer",) if status == "invited" else (),
    )


def _known(cells: TableCells, column: str, words: Mapping[str, str]) -> str:
    """What a cell means. Raises TableRefused for a word that is not known."""
    cell = " ".join(cells.get(column, "").casefold().split())
    if cell not in words:
        raise TableRefused(f"{column} is {cells.get(column)!r}, which is not known here")
    return words[cell]


def _join_day(cells: TableCells) -> datetime | None:
    """The day of joining; its time has a zone that is not among those of the tz database."""
    try:
        year, month, day = (int(cells.get(column, "")) for column in _JOINED)
        return datetime(year, month, day, tzinfo=UTC) if year > 1990 else None
    except ValueError:
        return None


def _join_words(cells: TableCells) -> str:
    columns = (*_JOINED, "join hour", "join minute", "join second", "time zone")
    return " ".join(filter(None, (cells.get(column, "") for column in columns)))


FORMAT = ExportFormat(name="google-groups", title="Google Groups' members", find_files=_find_files, read=_read)
