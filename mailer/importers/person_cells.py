"""Parse the cells of a row into a PersonRow. A bad cell is left out with a remark; a bad address refuses the row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import NoReturn

from mailer.domain.address import Address, parse_address
from mailer.domain.local_time import parse_zone
from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.errors import AddressRefused, TableRefused, TimeRefused
from mailer.importers.address_cell import read_address_cell
from mailer.importers.language_cell import read_language
from mailer.importers.person_row import PersonRow, parse_suppressions, parse_timestamp, unescape_formula
from mailer.importers.state_words import STATE_SAYING, StatedState, is_departed_cell, stated_state
from mailer.importers.table_columns import Column

_MAX_CELL, _MOST_SHOWN = 500, 100
_COMMENTS = ("#", "//", "--")
_KEPT_AWAY = frozenset(StatedState) - {StatedState.CONFIRMED}
_BREAKS = re.compile(r"\s*[\x00-\x1f\x7f-\x9f\u2028\u2029]+\s*")
_ERRORS = frozenset(
    ("#N/A", "#NV", "#N/D", "#REF!", "#BEZUG!", "#VALUE!", "#WERT!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#ZAHL!")
)
"""What spreadsheets put in the place of a value."""
_HANZI = re.compile(r"[\u3400-\u9fff]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(slots=True)
class RowCells:
    """The cells of a row by meaning, and remarks on those that cannot be used."""

    by_meaning: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    said: list[tuple[Column, str]] = field(default_factory=list)
    """Full cells in columns that say what state their people are in."""
    remarks: list[str] = field(default_factory=list)


def parse_person(columns: Sequence[Column], cells: Sequence[str], *, own_export: bool) -> PersonRow:
    """Parse a row. With `own_export` its state columns are read too. TableRefused says why the row is refused."""
    return person_of_cells(read_row_cells(columns, cells, own_export=own_export), own_export=own_export)


def person_of_cells(row: RowCells, *, own_export: bool) -> PersonRow:
    """The person of a row. TableRefused says why there is none."""
    by_meaning = row.by_meaning
    address, name_beside = _parse_address_cell(by_meaning.get("email", ""), row, own_export=own_export)
    return PersonRow(
        address=address,
        name=full_name(by_meaning) or name_beside,
        language=_parse_language_cell(row),
        zone=_parse_zone_cell(row),
        attributes=row.attributes,
        state=_parse_state(by_meaning.get("state", "")) if own_export else SubscriptionState.CONFIRMED,
        delivery_mode=_parse_delivery_mode(by_meaning.get("delivery_mode", "")),
        suppressions=parse_suppressions(by_meaning.get("suppressed", "")),
        agreed_at=_parse_time_cell("agreed_at", row),
        changed_at=_parse_time_cell("changed_at", row),
        remarks=tuple(row.remarks),
    )


def read_row_cells(columns: Sequence[Column], cells: Sequence[str], *, own_export: bool) -> RowCells:
    """The cells of a row by what their columns mean. TableRefused says why the row is refused."""
    row = RowCells()
    surplus = [cell for cell in map(clean_cell, cells[len(columns) :]) if cell]
    if surplus:
        _remark_surplus(row, columns, len(surplus), own_export=own_export)
    for column, raw in zip(columns, cells, strict=False):
        if column.ignored or not (cell := clean_cell(raw)):
            continue
        if column.says is not None:
            row.said.append((column, cell))
            continue
        if not own_export:
            _refuse_departed_cell(column, cell)
        if column.meaning == "email" or not surplus:
            _store_cell(row, column, cell)
    for cell in surplus:
        _refuse_departed_note("a cell without a heading", cell)
    return row


def _remark_surplus(row: RowCells, columns: Sequence[Column], surplus: int, *, own_export: bool) -> None:
    """Remark on more cells than headings. Raises TableRefused where it would matter which of them says what."""
    cell_count = f"has {len(columns) + surplus} cells, the heading {len(columns)}"
    if own_export or any(one.says in STATE_SAYING for one in columns):
        raise TableRefused(cell_count)
    row.remarks.append(f"{cell_count}: only its address is read")


def _refuse_departed_cell(column: Column, cell: str) -> None:
    if column.meaning not in {"email", "language", "zone"}:
        _refuse_departed_note(column.heading or "a cell without a heading", cell)


def _store_cell(row: RowCells, column: Column, cell: str) -> None:
    if len(cell) > _MAX_CELL:
        row.remarks.append(f"{column.heading} has more than {_MAX_CELL} characters: left out")
        return
    if cell in _ERRORS:
        row.remarks.append(f"{column.heading} is {cell}, an error of the spreadsheet: left out")
        return
    if column.meaning:
        row.by_meaning[column.meaning] = cell
    if column.attribute:
        row.attributes[column.attribute] = cell
    if not column.meaning and not column.attribute:
        row.remarks.append("has a cell without a heading: left out")


def _refuse_departed_note(heading: str, cell: str) -> None:
    if is_departed_cell(cell):
        _refuse_departed(heading, cell)


def _refuse_departed(heading: str, cell: str) -> NoReturn:
    raise TableRefused(
        f"{heading} is {cell[:_MOST_SHOWN]!r}, which may say that they left: take them out, or --ignore-column"
    )


def clean_cell(raw: str) -> str:
    """The cell on one line, with formula escapes and octets of a wrong encoding undone."""
    if raw.isprintable():
        return unescape_formula(raw.strip())
    decoded = _SURROGATE.sub(_decode_surrogate, raw)
    return unescape_formula(_BREAKS.sub(" ", decoded).strip().strip("\u200b\ufeff\u2060\u00a0 "))


def _decode_surrogate(match: re.Match[str]) -> str:
    """The Windows-1252 character of an octet that is not valid UTF-8 (PEP 383)."""
    octet = ord(match[0]) - 0xDC00
    return bytes([octet]).decode("cp1252", "replace") if 0x80 <= octet <= 0xFF else "\ufffd"


def _parse_address_cell(cell: str, row: RowCells, *, own_export: bool) -> tuple[Address, str | None]:
    """The address in a cell, and the name beside it."""
    if not cell:
        raise TableRefused("has no address")
    try:
        if own_export:
            return parse_address(cell), None
        return _parse_unusual_address(cell, row)
    except AddressRefused as refusal:
        raise TableRefused(str(refusal)) from None


def _parse_unusual_address(cell: str, row: RowCells) -> tuple[Address, str | None]:
    if cell.startswith(_COMMENTS):
        raise TableRefused(f"{cell[:_MOST_SHOWN]!r} is commented out: take the row out, or the mark before the address")
    found = read_address_cell(cell)
    if found.number > 1:
        row.remarks.append(f"holds {found.number} addresses: the first is read")
    if found.beside and (is_departed_cell(found.beside) or stated_state(found.beside) in _KEPT_AWAY):
        _refuse_departed("what stands beside the address", found.beside)
    return found.address, found.beside[:_MAX_CELL] if found.beside else None


def full_name(by_meaning: Mapping[str, str]) -> str | None:
    """The name of a person in cells called name, or first_name and last_name; Chinese ones in their order."""
    if "name" in by_meaning:
        return by_meaning["name"]
    first, last = by_meaning.get("first_name", ""), by_meaning.get("last_name", "")
    if first and len(first) <= len(last) and first.casefold() in last.casefold().split():
        return last
    if not first.isascii() and _HANZI.fullmatch(first + last):
        return last + first
    return f"{first} {last}".strip() or None


def _parse_state(cell: str) -> SubscriptionState:
    try:
        return SubscriptionState(cell.lower())
    except ValueError:
        raise TableRefused(f"state is {cell!r}: it must be {', '.join(SubscriptionState)}") from None


def _parse_delivery_mode(cell: str) -> DeliveryMode:
    try:
        return DeliveryMode(cell.lower() or DeliveryMode.EACH)
    except ValueError:
        raise TableRefused(f"delivery_mode is {cell!r}: it must be {', '.join(DeliveryMode)}") from None


def _parse_language_cell(row: RowCells) -> str | None:
    if not (cell := row.by_meaning.get("language")):
        return None
    if (tag := read_language(cell)) is None:
        row.remarks.append(f"{cell!r} is not a language tag like en or tr: left out")
    return tag


def _parse_time_cell(column: str, row: RowCells) -> datetime | None:
    if not (cell := row.by_meaning.get(column)):
        return None
    if (timestamp := parse_timestamp(cell)) is None:
        row.remarks.append(f"{column} is {cell!r}, no date and time like 2026-12-01T09:00: left out")
    return timestamp


def _parse_zone_cell(row: RowCells) -> str | None:
    if not (cell := row.by_meaning.get("zone")):
        return None
    if (zone := find_zone_name(cell)) is None:
        row.remarks.append(f"{cell!r} is not a time zone like Europe/Berlin: left out")
    return zone


@lru_cache(maxsize=1024)
def find_zone_name(cell: str) -> str | None:
    """The time zone that a cell names; None where it names none."""
    try:
        return parse_zone(cell).key
    except TimeRefused:
        return None
