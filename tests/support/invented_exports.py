"""Exports of invented people, as a peer's format would read them."""

from __future__ import annotations

import io
from collections.abc import Iterable

from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.export_format import ExportFormat, ExportRows
from mailer.importers.open_export import OpenedExport
from mailer.importers.person_row import PersonRow
from mailer.importers.source_files import SourceFile, SourceFiles


def invented_export(*rows: PersonRow | BadRow | LeftBehind) -> OpenedExport:
    """An export of these rows, on lines from 2."""
    return export_of(enumerate(rows, 2))


def export_of(rows: Iterable[tuple[int, PersonRow | BadRow | LeftBehind]]) -> OpenedExport:
    """An export of these numbered rows."""
    file = SourceFile(name="members.csv", size=0, open=io.BytesIO)
    read = ExportRows(rows=iter(rows))
    return OpenedExport(
        format=ExportFormat(name="swaps", title="The seed swap's export", find_files=tuple, read=lambda *_: read),
        files=(file,),
        rows=read,
        source=SourceFiles(name="members.csv", files=(file,), sha256="5" * 64),
        passed_over=(),
    )
