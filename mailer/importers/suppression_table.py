"""Reads and writes suppressions.csv, in which an export of ours has everybody who must not be mailed."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import TextIOWrapper

from mailer.domain.address import parse_address
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import AddressRefused, TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.person_row import (
    PersonRow,
    SuppressedKey,
    SuppressionEntry,
    parse_timestamp,
    unescape_formula,
)
from mailer.importers.source_files import SourceFile
from mailer.importers.table_records import MAX_LINE, read_lines

SUPPRESSION_COLUMNS = ("key", "secret_id", "reason", "list", "since", "until", "email")
UNSUBSCRIBED = SubscriptionState.UNSUBSCRIBED.value
"""The reason of people who are unsubscribed and have no suppression: by an import that said no more."""
EVERYWHERE = "everywhere"
"""Stands for the list's name where a suppression is for all lists."""
_KEY, _SECRET_ID = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{8}")


def is_suppression_table(heading: str) -> bool:
    """Whether a file that begins with this line is such a table."""
    return heading.removeprefix("\ufeff").rstrip("\r\n") == ",".join(SUPPRESSION_COLUMNS)


@dataclass(frozen=True, slots=True)
class SuppressionTable:
    """The suppressions.csv of an export; it is read anew by each iteration."""

    file: SourceFile

    def people(self) -> Iterator[tuple[int, PersonRow | BadRow]]:
        """Those whose addresses the table tells, as people who are no readers; also its bad rows. By line."""
        for line, row in self._rows():
            if not isinstance(row, SuppressedKey):
                yield line, row

    def __iter__(self) -> Iterator[SuppressedKey]:
        """The others."""
        for _, row in self._rows():
            if isinstance(row, SuppressedKey):
                yield row

    def _rows(self) -> Iterator[tuple[int, PersonRow | SuppressedKey | BadRow]]:
        csv.field_size_limit(MAX_LINE)
        with TextIOWrapper(self.file.open(), "utf-8-sig", "replace", newline="") as text:
            records = csv.reader(read_lines(text), strict=True)
            next(records, None)
            while True:
                try:
                    if (cells := next(records, None)) is None:
                        return
                    row = _parse_row(cells)
                except (TableRefused, AddressRefused, csv.Error) as refusal:
                    yield records.line_num, BadRow(records.line_num, str(refusal))
                else:
                    yield records.line_num, row


def _parse_row(cells: list[str]) -> PersonRow | SuppressedKey:
    if len(cells) != len(SUPPRESSION_COLUMNS):
        raise TableRefused(f"has {len(cells)} cells, the heading {len(SUPPRESSION_COLUMNS)}")
    key, secret_id, reason, list_name, since, until, email = map(unescape_formula, cells)
    unsubscribed = reason == UNSUBSCRIBED
    entry = SuppressionEntry(
        reason=SuppressionReason.LEFT if unsubscribed else _parse_reason(reason),
        everywhere=list_name == EVERYWHERE,
        since=_parse_time("since", since),
        until=_parse_time("until", until),
    )
    if not email:
        _check(_KEY, "key", key)
        _check(_SECRET_ID, "secret_id", secret_id)
        return SuppressedKey(key=key, secret_id=secret_id, suppression=entry)
    return PersonRow(
        address=parse_address(email),
        attributes={},
        state=SubscriptionState.UNSUBSCRIBED if unsubscribed else None,
        suppressions=() if unsubscribed else (entry,),
        changed_at=entry.since if unsubscribed else None,
    )


def _parse_reason(cell: str) -> SuppressionReason:
    try:
        return SuppressionReason(cell)
    except ValueError:
        known = ", ".join((*SuppressionReason, UNSUBSCRIBED))
        raise TableRefused(f"reason is {cell!r}: it must be {known}") from None


def _parse_time(column: str, cell: str) -> datetime | None:
    timestamp = parse_timestamp(cell) if cell else None
    if cell and timestamp is None:
        raise TableRefused(f"{column} is {cell!r}, no date and time like 2026-12-01T09:00")
    return timestamp


def _check(pattern: re.Pattern[str], column: str, cell: str) -> None:
    if not pattern.fullmatch(cell):
        raise TableRefused(f"{column} is {cell!r}: neither it nor an address names anybody")
