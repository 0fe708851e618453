"""Reads the table of people that an export of ours writes, cell for cell as they were."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from mailer.domain.address import parse_address
from mailer.domain.language import parse_language
from mailer.domain.local_time import parse_zone
from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.errors import AddressRefused, TableRefused, TimeRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.person_row import (
    ATTRIBUTE_PREFIX,
    PERSON_COLUMNS,
    STATE_COLUMNS,
    PersonRow,
    parse_suppressions,
    parse_timestamp,
    unescape_formula,
)
from mailer.importers.table_columns import find_ignored_headings
from mailer.importers.table_records import MAX_LINE

OWN_COLUMNS = (*PERSON_COLUMNS, *STATE_COLUMNS)
_UNUSABLE = re.compile(r"[\x00\ud800-\udfff]")
_Word = TypeVar("_Word", SubscriptionState, DeliveryMode)
_OWN_HEADING = ",".join(OWN_COLUMNS)


def is_own_heading(line: str) -> bool:
    """Whether a table that begins with this line was written by an export of ours, and not changed since."""
    heading = line.removeprefix("\ufeff").rstrip("\r\n")
    return heading == _OWN_HEADING or heading.startswith(f"{_OWN_HEADING},")


def read_own_people(lines: Iterable[str], ignored: Collection[str] = ()) -> Iterator[tuple[int, PersonRow | BadRow]]:
    """Yield each row with the number of the line on which it ends; the first line is the heading.

    Columns whose headings are in `ignored` are left out. Raises TableRefused where there is none of that name.
    """
    csv.field_size_limit(MAX_LINE)
    records = csv.reader(lines, strict=True)
    headings = [one.removeprefix("\ufeff") for one in next(records)]
    ignored = find_ignored_headings(headings, ignored)
    names = [None if heading in ignored else heading.removeprefix(ATTRIBUTE_PREFIX) for heading in headings]
    attributes = [(at, name) for at, name in enumerate(names) if name and at >= len(OWN_COLUMNS)]
    while True:
        try:
            cells = next(records, None)
            if cells is None:
                return
            if not cells:
                continue
            if len(cells) != len(headings):
                raise TableRefused(f"has {len(cells)} cells, the heading {len(headings)}")
            row = _parse_row([_clean_cell(cell) for cell in cells], attributes)
        except (TableRefused, AddressRefused, csv.Error) as refusal:
            yield records.line_num, BadRow(records.line_num, str(refusal))
        else:
            yield records.line_num, row


def _clean_cell(cell: str) -> str:
    """The cell as it was, but for what no database holds: NUL, and octets that are no UTF-8."""
    if not cell.isprintable():
        cell = _UNUSABLE.sub("", cell)
    return unescape_formula(cell)


def _parse_row(cells: Sequence[str], attributes: Sequence[tuple[int, str]]) -> PersonRow:
    email, name, language, zone, state, delivery_mode, suppressed, agreed_at, changed_at = cells[: len(OWN_COLUMNS)]
    remarks: list[str] = []
    return PersonRow(
        address=parse_address(email),
        name=name or None,
        language=_parse_language_cell(language, remarks),
        zone=_parse_zone_cell(zone, remarks),
        attributes={key: cells[at] for at, key in attributes if cells[at]},
        state=_one_of(SubscriptionState, "state", state),
        delivery_mode=_one_of(DeliveryMode, "delivery_mode", delivery_mode or DeliveryMode.EACH),
        suppressions=parse_suppressions(suppressed),
        agreed_at=_parse_time_cell("agreed_at", agreed_at, remarks),
        changed_at=_parse_time_cell("changed_at", changed_at, remarks),
        remarks=tuple(remarks),
    )


def _one_of(kind: type[_Word], column: str, cell: str) -> _Word:
    try:
        return kind(cell.lower())
    except ValueError:
        raise TableRefused(f"{column} is {cell!r}: it must be {', '.join(kind)}") from None


def _parse_language_cell(cell: str, remarks: list[str]) -> str | None:
    tag = parse_language(cell) if cell else None
    if cell and tag is None:
        remarks.append(f"{cell!r} is not a language tag like en or tr: left out")
    return tag


def _parse_zone_cell(cell: str, remarks: list[str]) -> str | None:
    try:
        return parse_zone(cell).key if cell else None
    except TimeRefused:
        remarks.append(f"{cell!r} is not a time zone like Europe/Berlin: left out")
        return None


def _parse_time_cell(column: str, cell: str, remarks: list[str]) -> datetime | None:
    timestamp = parse_timestamp(cell) if cell else None
    if cell and timestamp is None:
        remarks.append(f"{column} is {cell!r}, no date and time like 2026-12-01T09:00: left out")
    return timestamp
