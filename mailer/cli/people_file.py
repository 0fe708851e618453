"""Opens a file of people, from a disk or a pipe, as text; refuses it if its name says that they left."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

import typer

from mailer.cli.cli_context import print_message

_IN_MEMORY = 1 << 24


@contextmanager
def open_people_file(file: Path, encoding: str | None) -> Iterator[tuple[TextIO, str | None]]:
    """Open the file; yields its text and a remark on the encoding if that was guessed.

    Raises TableRefused if it is not text, or if its name says that the people in it left.
    """
    from mailer.errors import TableRefused
    from mailer.importers.column_words import is_departed_file_name
    from mailer.importers.table_encoding import open_table

    if is_departed_file_name(file.stem):
        raise TableRefused(
            f"nobody is imported: its name, {file.name}, says that these people left or never were readers. "
            "`mailer import-from` reads other software's exports, and keeps such people out. "
            "(If they are readers, give the file another name.)"
        )
    with ExitStack() as opened:
        try:
            octets = opened.enter_context(file.open("rb"))
            if not octets.seekable():
                buffered = opened.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))
                shutil.copyfileobj(octets, buffered)
                buffered.seek(0)
            departed_tables = _departed_beside(file)
        except OSError as error:
            print_message(f"mailer: {file}: {error.strerror}")
            raise typer.Exit(2) from None
        if departed_tables:
            print_message(
                f"beside it lies {', '.join(departed_tables[:3])}: who stands there is not kept out by that; "
                "`mailer import-from` reads the whole folder"
            )
        table, guessed = open_table(octets if octets.seekable() else buffered, encoding)  # type: ignore[arg-type]
        yield opened.enter_context(table), guessed


def _departed_beside(file: Path) -> list[str]:
    """Names of tables in the same folder whose names say that the people in them left."""
    from mailer.importers.column_words import is_departed_file_name

    if not file.is_file():
        return []
    return sorted(one.name for one in file.parent.glob(f"*{file.suffix}") if is_departed_file_name(one.stem))
