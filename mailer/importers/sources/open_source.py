"""Open an export wherever it lies: a file, a folder, a zip, or what comes over a pipe."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from mailer.errors import TableRefused
from mailer.importers.source_files import SourceFile, SourceFiles
from mailer.importers.sources.disk_file import file_version, reopen
from mailer.importers.sources.file_names import ZIP_MARKS, describe_archive, printable_name
from mailer.importers.sources.folder import folder_files
from mailer.importers.sources.zip_file import MOST_OCTETS, open_zip, zip_members

_HEAD, _CHUNK = 512, 1 << 20
_OFFICE_MARKS = {"[Content_Types].xml", "mimetype"}
"""Files of a zip that is a document of Excel, Word or LibreOffice."""


@contextmanager
def open_source(path: Path) -> Iterator[SourceFiles]:
    """The files at a path, open while the context is: of a folder, of a zip, or the one file.

    Raises TableRefused for what cannot be read, and for archives that are hostile or of another kind than zip.
    """
    name = printable_name(path.name or path.resolve().name or str(path))
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind in (stat.S_IFBLK, stat.S_IFCHR, stat.S_IFSOCK):
            raise TableRefused(f"{name} is a device or a socket: give a file, a folder, or - for standard input")
        file = None if kind == stat.S_IFDIR else path.open("rb")
    except OSError as error:
        raise _unreadable(name, error) from None
    if file is None:
        files, passed_over = folder_files(path)
        yield SourceFiles(name=name, files=files, passed_over=passed_over)
        return
    with file:
        if kind == stat.S_IFREG:
            yield _files_of(file.fileno(), name)
        else:
            with open_stream(file) as source:
                yield source


@contextmanager
def open_stream(stream: BinaryIO, name: str = "") -> Iterator[SourceFiles]:
    """The files in a stream, copied to the disk meanwhile: of a zip, or the one text; `name` is its file's, if known.

    Raises TableRefused as `open_source` does.
    """
    with tempfile.TemporaryFile() as copy:
        _copy_stream(stream, copy, name or "standard input")
        yield _files_of(copy.fileno(), printable_name(name))


def _copy_stream(stream: BinaryIO, copy: IO[bytes], name: str) -> None:
    try:
        while chunk := stream.read(_CHUNK):
            if copy.tell() + len(chunk) > MOST_OCTETS:
                raise TableRefused(f"{name} has more than {MOST_OCTETS} octets")
            copy.write(chunk)
        copy.flush()
    except OSError as error:
        raise _unreadable(name, error) from None


def _files_of(fd: int, name: str) -> SourceFiles:
    """The files of an open file, which may be a zip."""
    shown, listed = name or "standard input", file_version(os.fstat(fd))
    if listed.size > MOST_OCTETS:
        raise TableRefused(f"{shown} has more than {MOST_OCTETS} octets")
    head = reopen(fd, listed, shown).read(_HEAD)
    if archive := describe_archive(head):
        raise TableRefused(f"{shown} is {archive}")
    if not head:
        raise TableRefused(f"{shown} is empty")
    if head.startswith(ZIP_MARKS):
        opened = open_zip(reopen(fd, listed, shown), shown)
        if _OFFICE_MARKS.isdisjoint(opened.namelist()):
            return SourceFiles(name=shown, files=zip_members(opened))
    file = SourceFile(name=name, size=listed.size, open=lambda: reopen(fd, listed, shown))
    return SourceFiles(name=shown, files=(file,))


def _unreadable(name: str, error: OSError) -> TableRefused:
    return TableRefused(f"{name} cannot be read: {error.strerror or error}")
