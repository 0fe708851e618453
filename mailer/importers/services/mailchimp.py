"""Mailchimp's audience export: one table for each state, and the members of its API."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain

from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers.added_columns import with_added_columns
from mailer.importers.bad_row import BadRow
from mailer.importers.column_words import is_departed_file_name
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.export_times import parse_export_time
from mailer.importers.headed_table import HeadedTable, TableCells, find_headings, open_headed_table
from mailer.importers.person_fields import field_columns, parse_rows, read_address
from mailer.importers.person_row import PersonRow
from mailer.importers.services.mailchimp_members import MemberStatus, is_member_file, member_row, read_member_file
from mailer.importers.source_files import SourceFile

_REQUIRED = ("optin_time", "confirm_time", "leid")
_SYSTEM = frozenset(
    """
    MEMBER_RATING OPTIN_TIME OPTIN_IP CONFIRM_TIME CONFIRM_IP LATITUDE LONGITUDE GMTOFF DSTOFF TIMEZONE CC REGION
    LAST_CHANGED UNSUB_TIME UNSUB_CAMPAIGN_TITLE UNSUB_CAMPAIGN_ID UNSUB_REASON UNSUB_REASON_OTHER CLEAN_TIME
    CLEAN_CAMPAIGN_TITLE CLEAN_CAMPAIGN_ID LEID EUID NOTES TAGS
    """.split()  # noqa: SIM905
)
"""The headings of Mailchimp's own columns, which come after those of the audience's fields."""
_EVIDENCE = {
    "OPTIN_TIME": "optin",
    "OPTIN_IP": "optin_ip",
    "CONFIRM_TIME": "confirm",
    "CONFIRM_IP": "confirm_ip",
    "UNSUB_REASON": "reason",
    "UNSUB_REASON_OTHER": "reason_text",
    "NOTES": "note",
}
_STATUS_WORD = re.compile(
    r"((un|non|not|never)[-_ ]?)?subscribed|cleaned|archived|pending|transactional", re.IGNORECASE
)
_STATUSES = {
    "unsubscribed": MemberStatus.UNSUBSCRIBED,
    "cleaned": MemberStatus.CLEANED,
    "archived": MemberStatus.ARCHIVED,
    "pending": MemberStatus.PENDING,
    **dict.fromkeys(("nonsubscribed", "notsubscribed", "neversubscribed"), MemberStatus.TRANSACTIONAL),
    "transactional": MemberStatus.TRANSACTIONAL,
    "subscribed": MemberStatus.SUBSCRIBED,
}
"""The word of a file's name -> the status of the people in it; of several words the first here counts."""
_BY_STATE = {
    None: None,
    SubscriptionState.CONFIRMED: MemberStatus.SUBSCRIBED,
    SubscriptionState.PENDING: MemberStatus.PENDING,
    SubscriptionState.UNSUBSCRIBED: MemberStatus.UNSUBSCRIBED,
}


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    return tuple(one for one in files if find_headings(one, _REQUIRED) or is_member_file(one))


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    rows: list[Iterator[tuple[int, PersonRow | BadRow]]] = []
    guessed: list[str] = []
    for file in files:
        if is_member_file(file):
            rows.append(read_member_file(file, options))
            continue
        table = open_headed_table(file, _REQUIRED, needed=("tags",), encoding=options.encoding)
        status = _file_status(file, table, options)
        rows.append(parse_rows(table.rows, _row_parser(table, status, options), file.base_name))
        guessed += table.guessed
    return ExportRows(rows=chain.from_iterable(rows), guessed=tuple(guessed))


def _file_status(file: SourceFile, table: HeadedTable, options: ReadOptions) -> MemberStatus:
    """The status of all people of a table, by its columns and its name. Raises TableRefused where nothing says it."""
    if "unsub_time" in table.keys:
        return MemberStatus.UNSUBSCRIBED
    if "clean_time" in table.keys:
        return MemberStatus.CLEANED
    for name in (file.base_name, file.name):
        words = {re.sub("[-_ ]", "", found[0].lower()) for found in _STATUS_WORD.finditer(name)}
        status = next((status for word, status in _STATUSES.items() if word in words), None)
        if status in {None, MemberStatus.SUBSCRIBED} and is_departed_file_name(name):
            return MemberStatus.UNSUBSCRIBED
        if status:
            return status
    if status := _BY_STATE[options.state]:
        return status
    raise TableRefused(
        f"{file.base_name} has lost its name, which says whether its people are subscribed: call it "
        "subscribed_... or nonsubscribed_... again, or say --state"
    )


def _row_parser(
    table: HeadedTable, status: MemberStatus, options: ReadOptions
) -> Callable[[TableCells], PersonRow | None]:
    """The function that reads a row of the table."""
    columns = list(zip(table.keys, table.headings, strict=True))
    start = next(at for at, (_, heading) in enumerate(columns) if heading in _SYSTEM or heading.lower() in _REQUIRED)
    system = {heading.upper(): key for key, heading in columns[start:] if heading.upper() in _SYSTEM}
    made = [one for at, one in enumerate(columns) if at < start or one[1].upper() not in _SYSTEM]
    email = "email address" if "email address" in table.keys[:start] else table.keys[0]
    fields_of = field_columns([one for one in made if one[0] != email], options)
    evidence_columns = [(word, system[heading]) for heading, word in _EVIDENCE.items() if heading in system]
    time_zone, tags = (system.get(heading, "") for heading in ("TIMEZONE", "TAGS"))
    changed = system.get("UNSUB_TIME") or system.get("CLEAN_TIME")
    zone = options.zone or "UTC"

    def parse(cells: TableCells) -> PersonRow:
        fields = fields_of.read(cells)
        fields.add_zone(cells.get(time_zone, ""))
        fields.add_attribute("tags", _join_tags(cells.get(tags, "")))
        changed_at = parse_export_time(cells[changed], zone=zone) if changed and cells[changed] else None
        evidence = {word: cells[key] for word, key in evidence_columns if cells[key]}
        return member_row(read_address(cells[email]), status, fields, evidence, changed_at=changed_at, zone=zone)

    return with_added_columns(table, system.values(), zone, parse)


@lru_cache(maxsize=4096)
def _join_tags(cell: str) -> str:
    """The tags in a cell, `"Editors","VIP, gold"`, with semicolons between them."""
    tags = next(csv.reader((cell,), skipinitialspace=True), []) if cell else []
    return "; ".join(tag.strip() for tag in tags if tag.strip())


FORMAT = ExportFormat(name="mailchimp", title="Mailchimp's audience export", find_files=_find_files, read=_read)
