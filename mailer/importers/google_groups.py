"""Google Groups' members."""

from __future__ import annotations

from collections.abc import Sequence

from mailer.errors import TableRefused
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.source_files import SourceFile


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    return ()


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    raise TableRefused("Google Groups' members cannot be read yet")


FORMAT = ExportFormat(name="google-groups", title="Google Groups' members", find_files=_find_files, read=_read)
