"""Read the lines that Mailman's commands print of members: an address, or a name with the address in brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailer.domain.address import Address
from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.member_row import clean_name, read_address
from mailer.importers.source_files import SourceFile
from mailer.importers.table_encoding import open_table
from mailer.importers.table_records import read_lines

ListingLine = tuple[int, tuple[Address, str | None] | BadRow]
"""The line's number, and the address and name on it."""

_NAME_ADDRESS = re.compile(r"(?P<name>.*?)\s*<(?P<address>[^<>]*)>", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NOBODY = re.compile(r"\S+ has no members\.?|0")


def read_listing_lines(file: SourceFile, encoding: str | None) -> tuple[list[ListingLine], str | None]:
    """The people of a file, and what was guessed of its encoding. Raises TableRefused for what is no text."""
    with file.open() as octets:
        text, guessed = open_table(octets, encoding)
        lines = list(_parse_lines(enumerate(read_lines(text), 1), file.base_name))
    return lines, guessed


def _parse_lines(lines: Iterator[tuple[int, str]], place: str) -> Iterator[ListingLine]:
    for number, raw in lines:
        line = raw.strip("\ufeff \t\r\n\f\v")
        if not line or _NOBODY.fullmatch(line):
            continue
        try:
            yield number, parse_listing_line(line)
        except TableRefused as refusal:
            yield number, BadRow(number, str(refusal), place)


def parse_listing_line(line: str) -> tuple[Address, str | None]:
    """The address and the name of a line. Raises TableRefused where it has no address."""
    match = _NAME_ADDRESS.fullmatch(line)
    if match is None:
        return read_address(line), None
    name = match["name"].strip()
    if quoted := _QUOTED.fullmatch(name):
        name = _ESCAPED.sub(r"\1", quoted[1])
    return read_address(match["address"]), clean_name(name)
