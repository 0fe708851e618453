"""Exports read by whichever product recognises them, and the people found in them."""

from __future__ import annotations

from collections.abc import Mapping

from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.export_format import ExportRows, ReadOptions
from mailer.importers.export_formats import recognize_format
from mailer.importers.person_row import PersonRow
from mailer.importers.source_files import SourceFiles
from tests.support.export_files import source_files

Files = Mapping[str, str | bytes]


def all_files(files: Files) -> SourceFiles:
    """The files as one export."""
    return SourceFiles(name="the export", files=tuple(source_files(files)), sha256="")


def recognized_name(files: Files) -> str:
    """The name of the product that alone recognises the files."""
    return recognize_format(all_files(files))[0].name


def read_export(files: Files, options: ReadOptions | None = None) -> ExportRows:
    """The rows of the files, read by the product that recognises them."""
    format_, found = recognize_format(all_files(files))
    return format_.read(found, options or ReadOptions())


def read_rows(
    files: Files, options: ReadOptions | None = None
) -> tuple[dict[str, PersonRow], list[BadRow | LeftBehind]]:
    """The people by address, all rows of one merged, and what does not come along."""
    people: dict[str, PersonRow] = {}
    bad: list[BadRow | LeftBehind] = []
    for _, row in read_export(files, options).rows:
        if isinstance(row, PersonRow):
            key = row.address.key
            people[key] = row.merge_over(people[key]) if key in people else row
        else:
            bad.append(row)
    return people, bad


def read_people(files: Files, options: ReadOptions | None = None) -> dict[str, PersonRow]:
    """The people by address, of an export without bad rows."""
    people, bad = read_rows(files, options)
    assert bad == []
    return people


def standing(person: PersonRow) -> str:
    """The state and suppressions of a person in short: `confirmed`, `unsubscribed left everywhere`, `none`."""
    words = (f"{one.reason}{' everywhere' if one.everywhere else ''}" for one in person.suppressions)
    return " ".join([person.state or "none", *words])
