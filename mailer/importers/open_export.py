"""Open an export: whose it is, and its rows, read lazily."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.export_formats import recognize_format
from mailer.importers.source_files import SourceFile, SourceFiles

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedExport:
    """An export whose rows can be read, once."""

    format: ExportFormat
    files: tuple[SourceFile, ...]
    """Those that are read."""
    rows: ExportRows
    source: SourceFiles
    """Named as it was given; its files are those that are read, of which it has the hash."""
    passed_over: tuple[str, ...]
    """The names of files that are not read, and what else is passed over, for people."""

    @property
    def description(self) -> str:
        """For people: "Mailchimp's audience export, 4 files"."""
        number = len(self.files)
        return self.format.title if number == 1 else f"{self.format.title}, {number} files"


def open_export(source: SourceFiles, format_name: str | None, options: ReadOptions) -> OpenedExport:
    """Recognise these files, unless the format is named, and begin to read them.

    Raises TableRefused for files that are no export known here, may be several, or cannot be read as they are; the
    rows may raise it, too.
    """
    found, files = recognize_format(source, format_name)
    rows = found.read(files, options)
    return OpenedExport(
        format=found,
        files=files,
        rows=rows,
        source=SourceFiles(name=source.name, files=files, sha256=hash_files(files)),
        passed_over=(*sorted({one.name for one in source.files} - {one.name for one in files}), *source.passed_over),
    )


def hash_files(files: Sequence[SourceFile]) -> str:
    """The SHA-256 of what `sha256sum` says of these files, in hexadecimal."""
    summary = hashlib.sha256()
    for file in files:
        content = hashlib.sha256()
        with file.open() as octets:
            while chunk := octets.read(_CHUNK):
                content.update(chunk)
        summary.update(f"{content.hexdigest()}  {file.name or '-'}\n".encode())
    return summary.hexdigest()
