"""SourceFiles: the files of an export that is imported, wherever they lie: alone, in a folder, in a zip."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

_COPY_PREFIX = re.compile(r"(?:copy of|kopie von|copie de|copia di|copia de|cópia de)[ _-]+", re.IGNORECASE)
_COPY_ENDING = re.compile(r"(?: ?\(\d+\)|[ _-]+(?:copy|kopie|copie|copia|cópia))+$", re.IGNORECASE)


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

    @property
    def plain_name(self) -> str:
        """The base name without what browsers and desktops add to that of a copy: `Copy of`, ` (1)`, ` - Copy`."""
        stem, dot, ending = _COPY_PREFIX.sub("", self.base_name).rpartition(".")
        return f"{_COPY_ENDING.sub('', stem)}{dot}{ending}"


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
