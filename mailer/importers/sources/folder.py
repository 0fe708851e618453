"""List the files of a folder, without following links, up to a bound."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from mailer.errors import TableRefused
from mailer.importers.source_files import SourceFile
from mailer.importers.sources.disk_file import FileVersion, file_version, open_listed
from mailer.importers.sources.file_names import is_system_file, printable_name

MOST_ENTRIES, MOST_DEPTH = 20_000, 20
_ARCHIVE_FOLDERS = {"archive", "archives", "arc", ".git"}
"""Of mails, one file each, in which no people stand: mlmmj, Mailman and Sympa call them so."""


def folder_files(folder: Path) -> tuple[tuple[SourceFile, ...], tuple[str, ...]]:
    """The files below a folder in the order of their names, and what in it is passed over.

    Passed over, by name: links, pipes, sockets, devices, and folders of archived mails. Raises TableRefused for a
    folder that cannot be read, that has more than MOST_ENTRIES, or that is nested deeper than MOST_DEPTH.
    """
    files: list[SourceFile] = []
    passed_over: list[str] = []
    waiting = [(str(folder), "")]
    seen = 0
    while waiting:
        path, prefix = waiting.pop()
        for entry in _list_folder(path, prefix or folder.name):
            name = prefix + printable_name(os.fsencode(entry.name).decode("utf-8", "backslashreplace"))
            seen += 1
            if seen > MOST_ENTRIES:
                raise TableRefused(f"{folder.name} has more than {MOST_ENTRIES} files: give the folder of one list")
            if is_system_file(name):
                continue
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                files.append(_source_file(entry.path, file_version(status), name))
            elif not stat.S_ISDIR(status.st_mode):
                passed_over.append(f"{name} (a link)" if entry.is_symlink() else f"{name} (no file on the disk)")
            elif entry.name.casefold() in _ARCHIVE_FOLDERS:
                passed_over.append(f"{name}/ (archived mails)")
            else:
                waiting.append((entry.path, _subfolder(name)))
    return tuple(sorted(files, key=lambda file: file.name)), tuple(sorted(passed_over))


def _list_folder(path: str, name: str) -> list[os.DirEntry[str]]:
    """The first entries of a folder, one more than may be."""
    entries: list[os.DirEntry[str]] = []
    try:
        with os.scandir(path) as listed:
            for entry in listed:
                entries.append(entry)
                if len(entries) > MOST_ENTRIES:
                    break
    except OSError as error:
        raise TableRefused(f"{name} cannot be read: {error.strerror}") from None
    return entries


def _subfolder(name: str) -> str:
    if name.count("/") >= MOST_DEPTH:
        raise TableRefused(f"{name} is nested deeper than {MOST_DEPTH} folders: give the folder of one list")
    return f"{name}/"


def _source_file(path: str, listed: FileVersion, name: str) -> SourceFile:
    def open_file() -> BinaryIO:
        return open_listed(path, listed, name)

    return SourceFile(name=name, size=listed.size, open=open_file)
