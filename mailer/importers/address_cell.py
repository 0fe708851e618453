"""Addresses as cells of tables hold them: with names beside them, in quotes, with characters that nobody sees."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote

from mailer.domain.address import Address, parse_address
from mailer.errors import AddressRefused, TableRefused

_MAX_SHOWN = 60
_INVISIBLE = re.compile(r"[\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufe0f]")
_EDGES = " \t.,;:|<>()[]\"'´‘’“”„«»‹›"
_NAME_ADDR = re.compile(r"(?P<name>[^<>]*)<\s*(?P<address>[^<>\s]+@[^<>\s]+?)\s*>[\s.,;]*")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:|\"“”„«»]+@[^\s<>()\[\],;:|\"“”„«»]+")
_AROUND_AT = re.compile(r"\s*@\s*")
_MAILTO = re.compile(r"mailto:\s*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressCell:
    """What stands in a cell for addresses."""

    address: Address
    """The first."""
    beside: str | None = None
    """The text beside it, if it may be a name."""
    number: int = 1
    """How many there are."""


def find_address(cell: str) -> str | None:
    """The first text in a cell that looks like an address; None where there is none."""
    match = _ADDRESS.search(_visible_text(cell)) if "@" in cell or "＠" in cell else None
    return match[0] if match and "." in match[0].rpartition("@")[2] else None


def read_address_cell(cell: str) -> AddressCell:
    """Read a cell that holds an address. Raises AddressRefused, and TableRefused where there is none."""
    text = _AROUND_AT.sub("@", _visible_text(cell))
    if mailto := _MAILTO.search(text):
        text = text[: mailto.start()] + unquote(text[mailto.end() :].partition("?")[0])
    bare = text.strip(_EDGES)
    if "@" in bare and " " not in bare and "<" not in bare:
        with suppress(AddressRefused):
            return AddressCell(address=parse_address(bare))
    addresses = [one.strip(_EDGES) for one in _ADDRESS.findall(text)]
    if not addresses and "@" not in text:
        raise TableRefused(f"{cell[:_MAX_SHOWN]!r} is no address")
    if not addresses:
        return AddressCell(address=parse_address(cell))
    name_addr = _NAME_ADDR.fullmatch(text)
    address = parse_address(name_addr["address"].strip(_EDGES) if name_addr else addresses[0])
    others = {one.lower() for one in addresses} - {address.addr_spec.lower()}
    if others and not name_addr:
        return AddressCell(address=address, number=len(others) + 1)
    beside = (name_addr["name"] if name_addr else _ADDRESS.sub(" ", text)).strip(_EDGES)
    return AddressCell(address=address, beside=beside if any(map(str.isalpha, beside)) and "@" not in beside else None)


def _visible_text(cell: str) -> str:
    """The cell without invisible characters, full-width ones replaced (NFKC)."""
    if cell.isascii():
        return cell
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", cell)).replace("\u3002", ".")
