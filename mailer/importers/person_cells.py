"""The cells of a row read as a person: what is odd costs its cell, only an unreadable address costs the row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from urllib.parse import unquote

from mailer.domain.address import Address, parse_address
from mailer.domain.language import parse_language
from mailer.domain.local_time import parse_zone
from mailer.domain.subscription import SubscriptionState
from mailer.errors import AddressRefused, MomentRefused, TableRefused
from mailer.importers.column_words import says_departed
from mailer.importers.person_row import PersonRow, armed, read_instant, read_orders
from mailer.mail.inbound.command_words import words_in
from mailer.mail.inbound.language_names import language_called

_LONGEST_CELL, _LONGEST_STATE = 500, 60
_BREAKS = re.compile(r"\s*[\x00-\x1f\x7f-\x9f\u2028\u2029]+\s*")
_INVISIBLE = re.compile(r"[\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufe0f]")
_EDGES = " \t.,;:|<>()[]\"'´‘’“”„«»‹›"
_NAMED = re.compile(r"(?P<name>[^<>]*)<\s*(?P<address>[^<>\s]+@[^<>\s]+?)\s*>[\s.,;]*")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:|\"“”„«»]+@[^\s<>()\[\],;:|\"“”„«»]+")
_AROUND_AT = re.compile(r"\s*@\s*")
_MAILTO = re.compile(r"mailto:\s*", re.IGNORECASE)
_HANZI = re.compile(r"[\u3400-\u9fff]+")
_STRAY = re.compile(r"[\ud800-\udfff]")
_AFTER_TAG = re.compile(r"[.,;@].*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a table."""

    heading: str
    means: str | None
    """Which of our columns it is; first_name and last_name make a name where there is none."""
    attribute: str | None
    """What its cells are kept as."""
    ignored: bool


@dataclass(slots=True)
class _Told:
    """What a row's cells say, and what of them could not be used."""

    means: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def find_address(cell: str) -> str | None:
    """What in a cell looks like an address; None where nothing does."""
    found = _ADDRESS.search(_seen(cell)) if "@" in cell or "＠" in cell else None
    return found[0] if found and "." in found[0].rpartition("@")[2] else None


def read_person(columns: Sequence[Column], cells: Sequence[str], *, states: bool) -> PersonRow:
    """The person in a row; TableRefused says why there is none. `states`: our own columns tell how they stand."""
    told = _read_cells(columns, cells, states=states)
    means = told.means
    address, beside = _address(means.get("email", ""), told, ours=states)
    return PersonRow(
        address=address,
        name=_name(means) or beside,
        language=_language(told),
        zone=_zone(told),
        attributes=told.attributes,
        state=_state(means.get("state", "")) if states else SubscriptionState.CONFIRMED,
        orders=read_orders(means.get("suppressed", "")),
        agreed_at=_instant("agreed_at", told),
        changed_at=_instant("changed_at", told),
        remarks=tuple(told.remarks),
    )


def _read_cells(columns: Sequence[Column], cells: Sequence[str], *, states: bool) -> _Told:
    told = _Told()
    surplus = [cell for cell in map(_cleaned, cells[len(columns) :]) if cell]
    if surplus:
        number = f"has {len(columns) + len(surplus)} cells, the heading {len(columns)}"
        if states:
            raise TableRefused(number)
        told.remarks.append(f"{number}: only its address is read")
    for column, raw in zip(columns, cells, strict=False):
        cell = _cleaned(raw)
        if not cell or column.ignored:
            continue
        if not states and column.means not in {"email", "language", "zone"}:
            _refuse_departed(column.heading or "a cell without a heading", cell)
        if column.means == "email" or not surplus:
            _take(told, column, cell)
    for cell in surplus:
        _refuse_departed("a cell without a heading", cell)
    return told


def _take(told: _Told, column: Column, cell: str) -> None:
    if len(cell) > _LONGEST_CELL:
        told.remarks.append(f"{column.heading} has more than {_LONGEST_CELL} characters: left out")
        return
    if column.means:
        told.means[column.means] = cell
    if column.attribute:
        told.attributes[column.attribute] = cell
    if not column.means and not column.attribute:
        told.remarks.append("has a cell without a heading: left out")


def _refuse_departed(heading: str, cell: str) -> None:
    if len(cell) <= _LONGEST_STATE and says_departed(cell):
        raise TableRefused(f"{heading} is {cell!r}, which may say that they left: take them out, or --ignore-column")


def _cleaned(raw: str) -> str:
    """The cell on one line, without what a spreadsheet or a wrong encoding did to it."""
    if not raw or (raw.isascii() and raw.isprintable()):
        return armed(raw.strip())
    whole = _STRAY.sub(_octet, raw)
    return armed(_BREAKS.sub(" ", whole).strip().strip("\u200b\ufeff\u2060\u00a0 "))


def _octet(found: re.Match[str]) -> str:
    """What an octet was that does not belong into UTF-8."""
    octet = ord(found[0]) - 0xDC00
    return bytes([octet]).decode("cp1252", "replace") if 0x80 <= octet <= 0xFF else "\ufffd"


def _seen(cell: str) -> str:
    """The cell as one sees it: without what is not shown, in plain width."""
    if cell.isascii():
        return cell
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", cell)).replace("\u3002", ".")


def _address(cell: str, told: _Told, *, ours: bool) -> tuple[Address, str | None]:
    """The address in a cell, and the name that stands beside it there."""
    if not cell:
        raise TableRefused("has no address")
    try:
        if ours:
            return parse_address(cell), None
        return _odd_address(cell, told)
    except AddressRefused as refusal:
        raise TableRefused(str(refusal)) from None


def _odd_address(cell: str, told: _Told) -> tuple[Address, str | None]:
    seen = _AROUND_AT.sub("@", _seen(cell))
    if mailto := _MAILTO.search(seen):
        seen = seen[: mailto.start()] + unquote(seen[mailto.end() :].partition("?")[0])
    bare = seen.strip(_EDGES)
    if "@" in bare and " " not in bare and "<" not in bare:
        with suppress(AddressRefused):
            return parse_address(bare), None
    found = [one.strip(_EDGES) for one in _ADDRESS.findall(seen)]
    if not found:
        return parse_address(cell), None
    named = _NAMED.fullmatch(seen)
    address = parse_address(named["address"].strip(_EDGES) if named else found[0])
    others = {one.lower() for one in found} - {address.mailed.lower()}
    if others and not named:
        told.remarks.append(f"holds {len(others) + 1} addresses: the first is read")
        return address, None
    beside = (named["name"] if named else _ADDRESS.sub(" ", seen)).strip(_EDGES)
    if beside and says_departed(beside):
        _refuse_departed("what stands beside the address", beside)
    return address, beside[:_LONGEST_CELL] if any(map(str.isalpha, beside)) and "@" not in beside else None


def _name(means: Mapping[str, str]) -> str | None:
    if "name" in means:
        return means["name"]
    first, last = means.get("first_name", ""), means.get("last_name", "")
    if first and first.casefold() in last.casefold().split():
        return last
    if _HANZI.fullmatch(first + last):
        return last + first
    return f"{first} {last}".strip() or None


def _state(cell: str) -> SubscriptionState:
    try:
        return SubscriptionState(cell.lower())
    except ValueError:
        raise TableRefused(f"state is {cell!r}: it must be {', '.join(SubscriptionState)}") from None


def _language(told: _Told) -> str | None:
    if not (cell := told.means.get("language")):
        return None
    tag = parse_language(_AFTER_TAG.sub("", cell)) or language_called(words_in(cell))
    if tag is None:
        told.remarks.append(f"{cell!r} is not a language tag like en or tr: left out")
    return tag


def _instant(column: str, told: _Told) -> datetime | None:
    if not (cell := told.means.get(column)):
        return None
    if (read := read_instant(cell)) is None:
        told.remarks.append(f"{column} is {cell!r}, no date and time like 2026-12-01T09:00: left out")
    return read


def _zone(told: _Told) -> str | None:
    if not (cell := told.means.get("zone")):
        return None
    if (zone := _zone_called(cell)) is None:
        told.remarks.append(f"{cell!r} is not a time zone like Europe/Berlin: left out")
    return zone


@lru_cache(maxsize=1024)
def _zone_called(cell: str) -> str | None:
    try:
        return parse_zone(cell).key
    except MomentRefused:
        return None
