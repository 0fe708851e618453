"""The files of a SQLite database: private to our user, and checked to be the ones that are open."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import make_url

from mailer.errors import DatabaseMoved, DatabaseUnavailable

_COMPANION_SUFFIXES = ("-wal", "-shm")
_GROUP_AND_OTHERS = 0o077
FileIdentity = tuple[int, int]


class DatabaseFile:
    """The file that a path named when it was first opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity: FileIdentity | None = None

    def open(self) -> OpenFiles:
        """The files of one more connection. Raises DatabaseMoved where the path does not name that file any more."""
        if self._identity is None:
            create_private_file(self._path)
            self._identity = file_identity(self._path)
        files = OpenFiles(self._path, self._identity)
        files.check()
        return files

    @property
    def moved(self) -> bool:
        """Whether the path names another file by now, or none."""
        return self._identity is not None and file_identity(self._path) != self._identity


class OpenFiles:
    """The files that one connection has open, by device and inode."""

    def __init__(self, path: Path, opened: FileIdentity | None) -> None:
        self._path = path
        self._check_provider: dict[str, FileIdentity | None] = {"": opened}

    def check(self, *, after_write: bool = False) -> None:
        """Raise DatabaseMoved where another file, or none, has the name of one that is open.

        The files beside the database are known from the connection's first write on.
        """
        for suffix in ("", *_COMPANION_SUFFIXES) if after_write else tuple(self._check_provider):
            file = Path(f"{self._path}{suffix}")
            now = file_identity(file)
            if self._check_provider.setdefault(suffix, now) != now:
                what = "is gone" if now is None else "is another file than the one that is open"
                raise DatabaseMoved(
                    f"the database: {file.absolute()} {what}; put the right one back, and start the service anew"
                )


def file_identity(file: Path) -> FileIdentity | None:
    """Device and inode of the file with this name; None where there is none that we can see."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def create_private_file(database: Path) -> None:
    """Create the file with mode 0600 where there is none; SQLite gives those beside it the same mode.

    Raises DatabaseMoved where a service that was not stopped properly had a file there: an empty one would hide the
    loss. Raises DatabaseUnavailable where no file can be made.
    """
    if database.exists():  # and is not opened: closing any descriptor of it would drop the locks that SQLite has on it
        return
    pid = _read_owner_pid(owner_file(database))
    if pid and pid != str(os.getpid()):
        raise DatabaseMoved(
            f"the database: {database.absolute()} is gone, though a service (pid {pid}) was at work on it; put it back,"
            f" or delete {owner_file(database)} to begin anew"
        )
    try:
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise DatabaseUnavailable(f"cannot open the database: {database}: {error.strerror}") from None


def owner_file(database: Path) -> Path:
    """The file that holds the owning process's pid; empty once it has ended properly."""
    return database.with_name(f"{database.name}.owner")


def _read_owner_pid(file: Path) -> str:
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""


def database_file(url: str) -> Path | None:
    """The file of a settings url; None for a database that is no file."""
    return Path(str(make_url(url).database)) if url.startswith("sqlite") else None


def find_files_readable_by_others(database: Path | None, spool: Path) -> list[Path]:
    """What other users may read or change: the database's files, copies and lock, and the spool's files."""
    beside = database.parent.glob(f"{database.name}*") if database is not None else ()
    files = [file for file in (*beside, *spool.glob("*.mail")) if file.is_file()]
    return [file for file in (*files, *([spool] if spool.is_dir() else [])) if _is_accessible_to_others(file)]


def make_private(database: Path | None, spool: Path) -> list[Path]:
    """Take these rights from other users; returns the files changed. A file that we may not change stays as it is."""
    changed = find_files_readable_by_others(database, spool)
    for file in changed:
        with suppress(PermissionError, FileNotFoundError):
            file.chmod(0o700 if file.is_dir() else 0o600)
    return [file for file in changed if not _is_accessible_to_others(file)]


def _is_accessible_to_others(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & _GROUP_AND_OTHERS)
    except FileNotFoundError:
        return False
