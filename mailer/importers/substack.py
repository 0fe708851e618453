"""Substack's subscribers."""

from __future__ import annotations

from collections.abc import Sequence

from mailer.errors import TableRefused
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.source_files import SourceFile


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    return ()


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    raise TableRefused("Substack's subscribers cannot be read yet")


FORMAT = ExportFormat(name="substack", title="Substack's subscribers", find_files=_find_files, read=_read)
