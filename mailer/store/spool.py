"""The spool: a folder of files for incoming mails that are too large for their row."""

from __future__ import annotations

import asyncio
import fcntl
import os
import tempfile
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mailer.domain.incoming_message import IncomingMessage

_SUFFIX = ".mail"


class SpoolFile:
    """A file that a mail is being written to. Its methods wait for the disk, so call them in a thread.

    They raise OSError where the disk fails. While it is open, the file is locked, so that `list_unlocked_files` in any
    process can tell that it is in use.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor, path = tempfile.mkstemp(dir=folder, suffix=_SUFFIX)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self._path = Path(path)
        self._open = True
        # A connection may end while a thread still writes: the file must not be closed then.
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._path.name

    def write(self, octets: bytes) -> None:
        """Append; does nothing after `close`."""
        with self._lock:
            while octets and self._open:
                octets = octets[os.write(self._descriptor, octets) :]

    def sync(self) -> None:
        """Make sure that the file and its name survive a power cut."""
        with self._lock:
            os.fsync(self._descriptor)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def close(self) -> None:
        """Unlock and close the file, which belongs to its row now. Closing twice is no error."""
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._descriptor)

    def discard(self) -> None:
        """Delete the file: its mail was not accepted."""
        with suppress(OSError):  # where it cannot be deleted now, the next start of the service does so
            self._path.unlink()
        self.close()


async def read_message(spool: Path, message: IncomingMessage) -> bytes:
    """The mail's octets, from its row or its file. Raises OSError where the file cannot be read."""
    if message.raw or message.spool_name is None:
        return message.raw
    return await asyncio.to_thread((spool / message.spool_name).read_bytes)


async def delete_message_file(spool: Path, message: IncomingMessage) -> None:
    """Delete the mail's file, if it has one; call it when no row names it any more."""
    if message.spool_name is not None:
        await asyncio.to_thread(delete_files, spool, [message.spool_name])


def delete_files(spool: Path, names: Iterable[str]) -> None:
    """Delete these files; a missing one is no error."""
    for name in names:
        (spool / name).unlink(missing_ok=True)


def list_unlocked_files(spool: Path) -> list[str]:
    """The files that nobody writes to: of mails that wait or are kept, and leftovers of a crash.

    Look up afterwards which of them a row names: a file whose mail is committed meanwhile is either locked or named.
    """
    return [path.name for path in spool.glob(f"*{_SUFFIX}") if not _is_locked(path)]


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
