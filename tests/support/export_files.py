"""Files of exports for tests, and their rows as an organiser would state them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.export_format import ExportFormat, ReadOptions
from mailer.importers.person_row import PersonRow
from mailer.importers.source_files import SourceFile


def source_files(contents: Mapping[str, bytes | str]) -> list[SourceFile]:
    """Files by name."""
    encoded = {name: one.encode() if isinstance(one, str) else one for name, one in contents.items()}
    return [
        SourceFile(name=name, size=len(octets), open=lambda octets=octets: io.BytesIO(octets))  # type: ignore[misc]
        for name, octets in encoded.items()
    ]


def read_export(
    export_format: ExportFormat, contents: Mapping[str, bytes | str], options: ReadOptions | None = None
) -> tuple[dict[str, PersonRow], list[BadRow], list[LeftBehind]]:
    """The people by address, the bad rows and what is left behind of an export that the format must recognise."""
    files = export_format.find_files(source_files(contents))
    assert files, "not recognised"
    return sort_rows(row for _, row in export_format.read(files, options or ReadOptions()).rows)


def sort_rows(
    rows: Iterable[PersonRow | BadRow | LeftBehind],
) -> tuple[dict[str, PersonRow], list[BadRow], list[LeftBehind]]:
    people: dict[str, PersonRow] = {}
    bad: list[BadRow] = []
    left_behind: list[LeftBehind] = []
    for row in rows:
        if isinstance(row, PersonRow):
            assert row.address.addr_spec not in people, "one person, two rows"
            people[row.address.addr_spec] = row
        elif isinstance(row, BadRow):
            bad.append(row)
        else:
            left_behind.append(row)
    return people, bad, left_behind


def person_facts(row: PersonRow) -> dict[str, Any]:
    """What a row says of a person, without what is at its default."""
    facts: dict[str, Any] = {"state": str(row.state or "none"), "delivery": str(row.delivery_mode)}
    facts |= {"name": row.name, "language": row.language, "role": row.role and str(row.role), **row.evidence}
    facts |= {**row.preferences, "attributes": row.attributes, "agreed": row.agreed_at and row.agreed_at.isoformat()}
    for entry in row.suppressions:
        facts[str(entry.reason)] = entry.since.isoformat() if entry.since else True
        facts["until"] = entry.until and entry.until.isoformat()
    ordinary = {"delivery": "each", "state": "confirmed"}
    return {key: value for key, value in facts.items() if value not in ({}, None, "", ordinary.get(key))}


def is_mailable(row: PersonRow) -> bool:
    """Whether the person would get letters."""
    return str(row.state) == "confirmed" and not row.suppressions
