"""Writes a folder of files that is there only once it is complete."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from mailer.errors import AlreadyExists, ExportFailed

_FOLDER_MODE, _FILE_MODE = 0o700, 0o600


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `folder`, which becomes it at the end; after an error nothing of it is left.

    Raises AlreadyExists where `folder` is not empty or no folder, and ExportFailed where the disk fails.
    """
    folder = folder.resolve()
    _refuse_filled(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".unfinished", dir=folder.parent))
    except OSError as error:
        raise ExportFailed(f"{folder} cannot be written: {error.strerror}") from None
    try:
        yield temporary
        _refuse_filled(folder)
        temporary.rename(folder)
    except OSError as error:
        raise ExportFailed(f"{folder} cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _refuse_filled(folder: Path) -> None:
    try:
        found = next(folder.iterdir(), None)
    except FileNotFoundError:
        return
    except OSError as error:
        raise AlreadyExists(f"{folder} is no empty folder: {error.strerror}") from None
    if found is not None:
        raise AlreadyExists(f"{folder} is not empty: {found.name} is in it. Nothing was written; name a new folder")


@contextmanager
def new_text_file(file: Path) -> Iterator[TextIO]:
    """Write a new file of UTF-8 that only its owner reads; at the end it is on the disk. Raises OSError."""
    with open(file, "x", encoding="utf-8", errors="backslashreplace", newline="", opener=_open_privately) as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


@contextmanager
def new_binary_file(file: Path) -> Iterator[BinaryIO]:
    """Write a new file that only its owner reads; at the end it is on the disk. Raises OSError."""
    with open(file, "xb", opener=_open_privately) as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


def write_file(file: Path, content: bytes) -> None:
    """Write a new file that only its owner reads, and its folders. Raises OSError."""
    file.parent.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
    with open(file, "xb", opener=_open_privately) as out:
        out.write(content)


def _open_privately(path: str, flags: int) -> int:
    return os.open(path, flags, _FILE_MODE)
