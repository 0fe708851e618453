"""Combine a source that knows all of a list's members with lists of addresses that lie beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mailer.importers.bad_row import BadRow
from mailer.importers.member_row import ReadRow
from mailer.importers.person_row import PersonRow


def add_listings(primary: Iterable[ReadRow], listed: Iterable[ReadRow], place: str) -> Iterator[ReadRow]:
    """The rows of `primary`, stopped too where a listing says so, and roles that only listings name.

    A reader whom only a listing has is refused: of the two one is older, and the person may have left between.
    """
    rows = {row.address.key: row for _, row in listed if isinstance(row, PersonRow)}
    known = set()
    for line, row in primary:
        if isinstance(row, PersonRow):
            known.add(row.address.key)
            beside = rows.get(row.address.key)
            yield line, _with_listing(row, beside) if beside else row
        else:
            yield line, row
    for line, row in listed:
        if not isinstance(row, PersonRow):
            yield line, row
        elif row.address.key not in known:
            if row.state is None:
                yield line, row
            else:
                reason = f"{row.address.addr_spec} is no member in {place}: may have left"
                yield line, BadRow(line, reason)


def _with_listing(row: PersonRow, beside: PersonRow) -> PersonRow:
    address = beside.address if row.address.addr_spec.islower() else row.address
    if row.suppressions or row.state is None:
        return replace(row, address=address, role=row.role or beside.role)
    evidence = {**row.evidence, **beside.evidence}
    return replace(
        row, address=address, role=row.role or beside.role, suppressions=beside.suppressions, evidence=evidence
    )
