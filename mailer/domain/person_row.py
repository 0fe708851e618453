"""One row of a table of people, as an organiser brings it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from mailer.domain.address import Address, parse_address
from mailer.domain.language import parse_language
from mailer.domain.moment import parse_zone
from mailer.errors import AddressRefused, MomentRefused, TableRefused

OWN_COLUMNS = ("email", "name", "language", "zone", "state")
_LONGEST_CELL = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,39}")
# What a spreadsheet takes for a formula (OWASP, "CSV Injection").
_RUNS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonRow:
    """A person to import."""

    address: Address
    name: str | None
    language: str | None
    zone: str | None
    attributes: dict[str, str]


def check_columns(columns: list[str]) -> list[str]:
    """The header's names, lower-cased; TableRefused names what is wrong with them."""
    names = [column.strip().lower().replace(" ", "_") for column in columns]
    if "email" not in names:
        raise TableRefused(f"the first line must name the columns, one of them email; it reads: {', '.join(columns)}")
    for name in names:
        if names.count(name) > 1:
            raise TableRefused(f"two columns are called {name!r}")
        if not _ATTRIBUTE.fullmatch(name):
            raise TableRefused(f"column {name!r} must be letters, digits and underscores, a letter first")
    return names


def read_person(cells: Mapping[str, str]) -> PersonRow:
    """The person in a row of {column: cell}; TableRefused says why there is none."""
    told = {column: armed(cell.strip()) for column, cell in cells.items()}
    for column, cell in told.items():
        if len(cell) > _LONGEST_CELL:
            raise TableRefused(f"{column} has more than {_LONGEST_CELL} characters")
        if _CONTROL.search(cell):
            raise TableRefused(f"{column} holds a line break, a control character or bytes that are not UTF-8")
    if told.get("state", "confirmed") not in {"confirmed", ""}:
        raise TableRefused(f"is {told['state']}: only who is confirmed can be brought along")
    try:
        address = parse_address(told["email"])
    except AddressRefused as refusal:
        raise TableRefused(str(refusal)) from None
    return PersonRow(
        address=address,
        name=told.get("name") or None,
        language=_language(told.get("language", "")),
        zone=_zone(told.get("zone", "")),
        attributes={column: cell for column, cell in told.items() if cell and column not in OWN_COLUMNS},
    )


def defused(cell: str) -> str:
    """A cell no spreadsheet runs: an apostrophe goes before what looks like a formula."""
    return f"'{cell}" if cell.lstrip("'").startswith(_RUNS) else cell


def armed(cell: str) -> str:
    """The cell as it was before `defused`."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip("'").startswith(_RUNS) else cell


def _language(cell: str) -> str | None:
    if not cell:
        return None
    if (tag := parse_language(cell)) is None:
        raise TableRefused(f"{cell!r} is not a language tag like en or tr")
    return tag


@lru_cache(maxsize=1024)
def _zone(cell: str) -> str | None:
    try:
        return parse_zone(cell).key if cell else None
    except MomentRefused as refusal:
        raise TableRefused(str(refusal)) from None
