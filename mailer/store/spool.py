"""The spool: a folder of files for mails that are too large to stand in their row."""

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

    OSError where the disk does not take it.


    While it is open it is locked: that is how `left_behind` knows that somebody works at it, in whichever process.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor, path = tempfile.mkstemp(dir=folder, suffix=_SUFFIX)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self._path = Path(path)
        self._open = True
        # A client may go while a thread still writes: nobody closes the file under its hands.
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._path.name

    def write(self, octets: bytes) -> None:
        """Add to the end; nothing once it was closed."""
        with self._lock:
            while octets and self._open:
                octets = octets[os.write(self._descriptor, octets) :]

    def sync(self) -> None:
        """It and its name outlive a power cut when this returns."""
        with self._lock:
            os.fsync(self._descriptor)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def close(self) -> None:
        """It is somebody else's now; closing twice is no error."""
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._descriptor)

    def discard(self) -> None:
        """It was in vain."""
        with suppress(OSError):  # where it cannot be deleted now, the sweeping at the next start does so
            self._path.unlink()
        self.close()


async def read_message(spool: Path, message: IncomingMessage) -> bytes:
    """What the mail consists of, wherever it stands. OSError where its file cannot be read."""
    if message.raw or message.spool_name is None:
        return message.raw
    return await asyncio.to_thread((spool / message.spool_name).read_bytes)


async def delete_message_file(spool: Path, message: IncomingMessage) -> None:
    """Delete the mail's file, if it has one; call it when no row names it any more."""
    if message.spool_name is not None:
        await asyncio.to_thread(delete_files, spool, [message.spool_name])


def delete_files(spool: Path, names: Iterable[str]) -> None:
    """Files that are gone already are no error."""
    for name in names:
        (spool / name).unlink(missing_ok=True)


def list_unlocked_files(spool: Path) -> list[str]:
    """The files nobody works at: of mails that wait or are kept, and orphans of a crash.

    Look afterwards which of them are named by a row: one whose mail is committed in between is locked, or named.
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
