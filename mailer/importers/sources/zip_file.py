"""Open a zip that somebody else made: bombs, encrypted and misleading entries are refused by name."""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, BinaryIO

from mailer.errors import TableRefused
from mailer.importers.source_files import SourceFile
from mailer.importers.sources.file_names import is_archive_name, is_system_file, printable_name

MOST_ENTRIES = 10_000
MOST_OCTETS = 4 << 30
"""Of all entries together, unpacked."""
_MOST_DIRECTORY_OCTETS = 4 << 20
_MOST_RATIO, _RATIO_FROM = 200, 16 << 20
"""Tables of people shrink to a tenth; repeated cells to a fiftieth."""
_LOCAL_HEADER_OCTETS = 30
_MOST_AT_ONCE = 1 << 20
_ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000
_UTF8_FLAG = 0x800
_DRIVE = re.compile(r"[A-Za-z]:")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Those of which a part can be unpacked without memory for more."""
_DAMAGES = (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, RuntimeError, struct.error, EOFError)


class _ZipOctets(io.BufferedReader):
    """The octets of a zip; TableRefused where its directory would fill the memory."""

    is_listing = True
    """Whether the directory is being read, which zipfile does in one piece."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            at = self.tell()
            size = self.seek(0, os.SEEK_END) - at
            self.seek(at)
        if self.is_listing and size > _MOST_DIRECTORY_OCTETS:
            raise TableRefused(f"its directory has {size} octets, more than any of {MOST_ENTRIES} files")
        return super().read(size)


class _Member(io.RawIOBase):
    """One file of a zip, unpacked while it is read; TableRefused where it is damaged."""

    def __init__(self, unpacked: IO[bytes], zip_name: str, name: str, size: int) -> None:
        self._unpacked, self._zip_name, self._name, self._size = unpacked, zip_name, name, size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._unpacked.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with _damage_refused(self._zip_name, self._name):
            return self._unpacked.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        with _damage_refused(self._zip_name, self._name):
            octets = self._unpacked.read(min(len(view), _MOST_AT_ONCE))
            if not octets and len(view) and self.tell() < self._size:
                raise EOFError("it ends early")
        view[: len(octets)] = octets
        return len(octets)

    def close(self) -> None:
        self._unpacked.close()
        super().close()


def open_zip(octets: BinaryIO, name: str = "it") -> zipfile.ZipFile:
    """Open a zip after checks of its directory; `name` is for messages. Raises TableRefused."""
    with _damage_refused(name):
        content = _ZipOctets(octets)  # type: ignore[arg-type]
        opened = zipfile.ZipFile(content)
        content.is_listing = False
    opened.filename = name
    entries = opened.infolist()
    total = sum(entry.file_size for entry in entries)
    with _named(name):
        if len(entries) > MOST_ENTRIES:
            raise TableRefused(f"it has {len(entries)} files, more than {MOST_ENTRIES}")
        for entry in entries:
            _refuse_entry(entry)
        _refuse_overlaps(entries, opened.start_dir)
        if total > MOST_OCTETS:
            raise TableRefused(f"unpacked it would have {total} octets, more than {MOST_OCTETS}")
    return opened


def zip_members(opened: zipfile.ZipFile) -> tuple[SourceFile, ...]:
    """The files of a zip from `open_zip`, in the order of their names, without what systems add.

    Raises TableRefused for an archive within it, and for two files of one name.
    """
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in opened.infolist():
        name = _decoded_name(entry)
        if entry.is_dir() or is_system_file(name):
            continue
        with _named(opened.filename or ""):
            if is_archive_name(name):
                raise TableRefused(f"it holds {name}, an archive within it: unpack both, and give the folder")
            if name in members:
                raise TableRefused(f"it holds {name} twice")
        members[name] = entry
    return tuple(_source_file(opened, name, members[name]) for name in sorted(members))


def _source_file(opened: zipfile.ZipFile, name: str, entry: zipfile.ZipInfo) -> SourceFile:
    zip_name = opened.filename or ""

    def open_member() -> BinaryIO:
        with _damage_refused(zip_name, name):
            unpacked = opened.open(entry)
        return io.BufferedReader(_Member(unpacked, zip_name, name, entry.file_size), io.DEFAULT_BUFFER_SIZE * 8)

    return SourceFile(name=name, size=entry.file_size, open=open_member)


def _refuse_entry(entry: zipfile.ZipInfo) -> None:
    name = printable_name(entry.orig_filename)
    why = _misleading_name(entry.orig_filename)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if entry.flag_bits & _ENCRYPTED_FLAGS:
        why = "is encrypted: unpack the zip with its password, and give the folder"
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        why = "is a link to elsewhere" if kind == stat.S_IFLNK else "is a device, a pipe or a socket"
    elif entry.compress_type not in _METHODS:
        why = "is packed in an unusual way: unpack the zip, and give the folder"
    elif entry.file_size > max(_RATIO_FROM, _MOST_RATIO * entry.compress_size):
        why = f"has {entry.file_size} octets, unpacked of {entry.compress_size}: no table shrinks so far"
    elif entry.compress_type == zipfile.ZIP_STORED and entry.file_size != entry.compress_size:
        why = "has two sizes"
    if why:
        raise TableRefused(f"{name!r} in it {why}")


def _misleading_name(name: str) -> str | None:
    """Why nothing in a zip may be called so; None for a good name."""
    if "\0" in name or not name:
        return "has no proper name"
    if "\\" in name:
        return "has a backslash in its name: unpack the zip, and give the folder"
    if name.startswith("/") or _DRIVE.match(name):
        return "has a name that begins at the disk's root"
    return "has a name that leads out of the zip" if ".." in name.split("/") else None


def _refuse_overlaps(entries: Sequence[zipfile.ZipInfo], directory_at: int) -> None:
    """Refuse entries that share octets, by which a small zip holds a huge one (D. Fifield, "A better zip bomb")."""
    in_order = sorted(entries, key=lambda entry: entry.header_offset)
    ends = [*(entry.header_offset for entry in in_order[1:]), directory_at]
    for entry, end in zip(in_order, ends, strict=False):
        name_octets = len(entry.orig_filename) if entry.orig_filename.isascii() else 0
        if entry.header_offset + _LOCAL_HEADER_OCTETS + name_octets + entry.compress_size > end:
            name = printable_name(entry.orig_filename)
            raise TableRefused(f"{name!r} in it shares its octets with another file")


def _decoded_name(entry: zipfile.ZipInfo) -> str:
    """The name; what says nothing about its encoding is UTF-8 where it can be, else the IBM PC's code page 437."""
    name = entry.filename
    if not entry.flag_bits & _UTF8_FLAG:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return printable_name(name)


@contextmanager
def _named(zip_name: str) -> Iterator[None]:
    """Put the zip's name before refusals."""
    try:
        yield
    except TableRefused as refusal:
        raise TableRefused(f"{zip_name} is refused: {refusal}") from None


@contextmanager
def _damage_refused(zip_name: str, member: str = "") -> Iterator[None]:
    with _named(zip_name):
        try:
            yield
        except (*_DAMAGES, zlib.error) as damage:
            what = f"{member} in it" if member else "it"
            raise TableRefused(f"{what} is damaged ({damage or type(damage).__name__})") from None
