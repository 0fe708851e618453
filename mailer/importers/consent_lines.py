"""Reads consent.jsonl, in which an export of ours has its consent record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper

from mailer.domain.address import parse_address
from mailer.errors import AddressRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.person_row import ConsentRow, parse_timestamp
from mailer.importers.source_files import SourceFile
from mailer.importers.table_records import read_lines

_NUL = "\\u0000"
"""As JSON has it. No database of ours can look into evidence that holds one."""


@dataclass(frozen=True, slots=True)
class ConsentLines:
    """The consent.jsonl of an export; it is read anew by each iteration."""

    file: SourceFile

    def __iter__(self) -> Iterator[ConsentRow | BadRow]:
        """The lines in the order of the file, but for those of people whose addresses it does not tell."""
        with TextIOWrapper(self.file.open(), "utf-8", "replace", newline="\n") as text:
            for number, line in enumerate(read_lines(text), 1):
                try:
                    row = _parse_line(line)
                except (AddressRefused, ValueError, RecursionError) as refusal:
                    yield BadRow(number, f"is no line of a consent record: {refusal}")
                else:
                    if row is not None:
                        yield row


def _parse_line(line: str) -> ConsentRow | None:
    """The line; None where it has no address. Raises ValueError, RecursionError, AddressRefused."""
    if _NUL in line:
        raise ValueError("it holds a NUL")
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError("it is no object")
    address, act, way, evidence = (fields.get(name) for name in ("address", "act", "way", "evidence"))
    at = parse_timestamp(str(fields.get("at")))
    if at is None or not (isinstance(act, str) and isinstance(way, str) and isinstance(evidence, dict)):
        raise ValueError("at, act, way or evidence is missing")
    if address is None:
        return None
    return ConsentRow(address=parse_address(str(address)), at=at, act=act, way=way, evidence=evidence)
