"""Read a file on the disk that must not change meanwhile."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO, NamedTuple

from mailer.errors import TableRefused

_OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW


class FileVersion(NamedTuple):
    """What becomes another once somebody writes to a file, or puts another one in its place."""

    device: int
    inode: int
    size: int
    modified_ns: int


def file_version(status: os.stat_result) -> FileVersion:
    """The version of a file, by its status."""
    return FileVersion(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class _UnchangingFile(io.RawIOBase):
    """A regular file from its start, at a position of its own; TableRefused where it is not as it was listed."""

    def __init__(self, fd: int, listed: FileVersion, name: str, *, closes: bool) -> None:
        self._fd, self._listed, self._name, self._closes = fd, listed, name, closes
        self._at = 0
        self._refuse_changed()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._listed.size}[whence]
        if start + offset < 0:
            raise OSError(f"{self._name}: there is nothing before its start")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        wanted = min(len(view), self._listed.size - self._at)
        if wanted <= 0:
            self._refuse_changed()
            return 0
        octets = _pread(self._fd, wanted, self._at, self._name)
        if not octets:
            raise _changed(self._name)
        view[: len(octets)] = octets
        self._at += len(octets)
        return len(octets)

    def close(self) -> None:
        if not self.closed and self._closes:
            os.close(self._fd)
        super().close()

    def _refuse_changed(self) -> None:
        if file_version(os.fstat(self._fd)) != self._listed:
            raise _changed(self._name)


def open_listed(path: str, listed: FileVersion, name: str) -> BinaryIO:
    """Open a file of a folder as it was when the folder was listed. Raises TableRefused, also once it has changed."""
    try:
        fd = os.open(path, _OPEN_FLAGS)
    except OSError as error:
        raise TableRefused(f"{name} cannot be read: {error.strerror}") from None
    try:
        return io.BufferedReader(_UnchangingFile(fd, listed, name, closes=True), io.DEFAULT_BUFFER_SIZE * 8)
    except TableRefused:
        os.close(fd)
        raise


def reopen(fd: int, listed: FileVersion, name: str) -> BinaryIO:
    """Read an open file once more from its start. Closing the result leaves `fd` open. Raises TableRefused."""
    return io.BufferedReader(_UnchangingFile(fd, listed, name, closes=False), io.DEFAULT_BUFFER_SIZE * 8)


def _pread(fd: int, wanted: int, at: int, name: str) -> bytes:
    try:
        return os.pread(fd, wanted, at)
    except OSError as error:
        raise TableRefused(f"{name} cannot be read: {error.strerror}") from None


def _changed(name: str) -> TableRefused:
    return TableRefused(f"{name} changed while it was read: try again once nothing writes to it")
