"""The digest at the end of a backup: written last, checked before anything else is read."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from mailer.errors import BackupRefused

_DIGEST_PREFIX, _DIGEST_LENGTH = b"sha256 ", 64
_ZIP_MAGIC = b"PK\x03\x04"
_ZIP_READ_ERRORS = (BadZipFile, zlib.error, RuntimeError, ValueError, EOFError, OSError, struct.error)
"""What reading a damaged zip raises."""
_CHUNK = 2**20

DIGEST_PLACEHOLDER = _DIGEST_PREFIX + b"0" * _DIGEST_LENGTH
"""The comment of a zip whose digest is still to be written."""


def check_integrity(file: Path, octets: BinaryIO) -> None:
    """Raise BackupRefused unless `octets` is a complete, undamaged backup; then seek to its start."""
    size = octets.seek(0, os.SEEK_END)
    if size < len(_ZIP_MAGIC) or not _has_zip_magic(octets):
        raise BackupRefused(f"{file}: not a backup of this service")
    end = size - _DIGEST_LENGTH - len(_DIGEST_PREFIX)
    octets.seek(max(0, end))
    mark = octets.read()
    if end < 0 or not mark.startswith(_DIGEST_PREFIX):
        raise BackupRefused(f"{file}: not whole: it ends after {size} octets without the mark at a backup's end")
    if _digest(octets, size - _DIGEST_LENGTH) != mark[len(_DIGEST_PREFIX) :]:
        raise BackupRefused(f"{file}: damaged: {_find_damaged_part(octets)} is not as it was written")
    octets.seek(0)


def _has_zip_magic(octets: BinaryIO) -> bool:
    octets.seek(0)
    return octets.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC


def _find_damaged_part(octets: BinaryIO) -> str:
    """Which part of an archive is damaged, as far as can be found out."""
    octets.seek(0)
    try:
        with ZipFile(octets) as archive:
            names = archive.namelist()
            for name in names:
                try:
                    with archive.open(name) as part:
                        while part.read(_CHUNK):
                            pass
                except _ZIP_READ_ERRORS:
                    return f"its part {name}"
    except _ZIP_READ_ERRORS:
        pass
    return "its directory"


def write_digest(part: Path) -> None:
    """Write the digest into the place kept for it, and sync the file to the disk."""
    with part.open("r+b") as octets:
        place = octets.seek(0, os.SEEK_END) - _DIGEST_LENGTH
        digest = _digest(octets, place)
        octets.seek(place)
        octets.write(digest)
        octets.flush()
        os.fsync(octets.fileno())


def _digest(octets: BinaryIO, size: int) -> bytes:
    octets.seek(0)
    digest = hashlib.sha256()
    while chunk := octets.read(min(_CHUNK, size)):
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest().encode()
