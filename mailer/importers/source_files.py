"""SourceFiles: the files of an export that is imported, wherever they lie: alone, in a folder, in a zip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """One file of an export."""

    name: str
    """Its path within the folder or zip, with slashes; of a single file its name. "" where it came over a pipe."""
    size: int
    """In octets, as the disk or the zip's directory says."""
    open: Callable[[], BinaryIO]
    """Opens it from its start, seekable, and never gives more than `size` octets."""

    @property
    def base_name(self) -> str:
        """The name without folders."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFiles:
    """All files of one export."""

    name: str
    """The file's or folder's name, for messages and records."""
    files: tuple[SourceFile, ...]
    """In the order of their names."""
    sha256: str = ""
    """Of what `sha256sum` says of all files, in hexadecimal; "" before it is known which of them are read."""
    passed_over: tuple[str, ...] = ()
    """What lies among them and is never read, for people: links, devices, folders of archived mails."""
