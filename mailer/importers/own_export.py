"""An export of ours: people.csv, with suppressions.csv and consent.jsonl where they lie beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.consent_lines import ConsentLines
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.people_csv import PeopleTable, read_people
from mailer.importers.person_row import PersonRow
from mailer.importers.source_files import SourceFile
from mailer.importers.suppression_table import SuppressionTable, is_suppression_table
from mailer.importers.table_encoding import open_table

_HEADING = re.compile(r'\ufeff?"?email"?([,;\t])"?name"?\1"?language"?\1"?zone"?\1"?state"?(?:\1|\r?$)', re.MULTILINE)
"""Also of a table that a spreadsheet saved again."""
_CONSENTS = "consent.jsonl"
_HEAD = 1024


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    tables = [one for one in files if _is_people_table(one) or _is_suppression_table(one)]
    folders = {_folder(one) for one in tables}
    return tuple(one for one in files if one in tables or (one.base_name == _CONSENTS and _folder(one) in folders))


def _is_people_table(file: SourceFile) -> bool:
    return _HEADING.match(_head(file)) is not None


def _is_suppression_table(file: SourceFile) -> bool:
    return is_suppression_table(_head(file).partition("\n")[0])


def _head(file: SourceFile) -> str:
    if file.name and not file.base_name.casefold().endswith((".csv", ".txt", ".tsv")):
        return ""
    with file.open() as octets:
        return octets.read(_HEAD).decode("utf-8", "replace")


def _folder(file: SourceFile) -> str:
    return file.name.rpartition("/")[0]


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    own = _of_one_list(files, options.source_list)
    tables = [(one, _open_people(one, options)) for one in own if _is_people_table(one)]
    suppressions = [(one, SuppressionTable(one)) for one in own if _is_suppression_table(one)]
    if len(tables) > 1 or len(suppressions) > 1:
        names = ", ".join(one.name for one, _ in (*tables, *suppressions))
        raise TableRefused(f"there are several tables of one kind ({names}): give the folder of one export")
    consents = next((one for one in own if one.base_name == _CONSENTS), None)
    return ExportRows(
        rows=_read_rows(tables, suppressions),
        guessed=tuple(guess for _, table in tables for guess in table.guessed),
        suppressed_keys=suppressions[0][1] if suppressions else (),
        consents=ConsentLines(consents) if consents else (),
    )


def _of_one_list(files: Sequence[SourceFile], list_name: str | None) -> list[SourceFile]:
    """The files of one list; of an export of several each has a folder called like it."""
    folders = {_folder(one): one for one in files}
    chosen = [one for one in folders if list_name is None or one.rpartition("/")[2] == list_name]
    if len(chosen) == 1 or len(folders) == 1:
        return [one for one in files if _folder(one) == (chosen or list(folders))[0]]
    names = ", ".join(sorted(one.rpartition("/")[2] for one in folders))
    raise TableRefused(f"it holds several lists ({names}): say which with --source-list")


def _open_people(file: SourceFile, options: ReadOptions) -> PeopleTable:
    text, guess = open_table(file.open(), options.encoding)
    table = read_people(text, options.ignored)
    return replace(table, guessed=tuple(filter(None, (guess, *table.guessed))))


def _read_rows(
    tables: Sequence[tuple[SourceFile, PeopleTable]], suppressions: Sequence[tuple[SourceFile, SuppressionTable]]
) -> Iterator[tuple[int, PersonRow | BadRow]]:
    several = bool(tables) and bool(suppressions)
    sources = [(one, table.rows) for one, table in tables] + [(one, table.people()) for one, table in suppressions]
    for file, rows in sources:
        for line, row in rows:
            yield line, replace(row, place=file.base_name) if isinstance(row, BadRow) and several else row


FORMAT = ExportFormat(name="mailer", title="an export of this service", find_files=_find_files, read=_read)
