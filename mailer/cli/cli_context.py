"""What all commands share: settings, running an action, printing results, exit codes, writing new files."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import os
import pwd
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from mailer.domain.accounts.actor import Actor, unix_user
from mailer.domain.letters.media import MOST_OCTETS
from mailer.error_kind import ErrorKind
from mailer.errors import MailerError

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.settings.load import Settings

R = TypeVar("R")

EXIT_CODES = {ErrorKind.MISCONFIGURED: 2, ErrorKind.INVALID: 2}
"""2 if the caller has to correct something first; every other error exits with 1."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Anyway = Annotated[
    str | None,
    typer.Option(metavar="REASON", help="Send it although a check or the settings are against it; it is kept why."),
]


def print_message(text: str) -> None:
    """Print a message for people on stderr; stdout is for results."""
    typer.echo(text, err=True)


def print_json(value: Any) -> None:
    """Print a result for programs on stdout."""
    typer.echo(json.dumps(value, default=str, ensure_ascii=False))


@contextmanager
def report_errors() -> Iterator[None]:
    """Turn an error of ours into one line on stderr and an exit code."""
    try:
        yield
    except MailerError as refusal:
        print_message(f"mailer: {refusal}")
        raise typer.Exit(EXIT_CODES.get(refusal.kind, 1)) from None
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe; without this Python complains when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def current_settings() -> Settings:
    """The settings that this command line runs with. Raises SettingsRefused."""
    from mailer.settings.load import load_settings

    return load_settings()


def command_actor() -> Actor:
    """Who runs this command: the Unix user, and who they were before sudo."""
    user = os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:  # in a container the user may have no name
        name = str(user)
    before = os.environ.get("SUDO_USER", "")
    return unix_user(f"{name}, by sudo of {before}" if before.isprintable() and before not in {"", name} else name)


def collect_garbage_rarely() -> None:
    """Let the collector look at objects rarely, for work that makes millions of them without cycles.

    Its passes over all of them would take a third of the time of an import.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def run_action(action: Callable[[App, Actor], Coroutine[Any, Any, R]]) -> R:
    """Run an action on the App of the current settings, in an event loop of its own, and return its result.

    The action is given the App and who acts: whoever runs this command.
    """
    from mailer.actions.maintenance.migrate import check_schema
    from mailer.bootstrap import open_app

    async def run(app: App) -> R:
        try:
            return await action(app, command_actor())
        finally:
            await app.close()

    with report_errors():
        settings = current_settings()
        check_schema(settings)
        return asyncio.run(run(open_app(settings)))


def read_text(file: Path) -> str:
    """The text of a UTF-8 file; exits with 2 and a message if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        print_message(f"mailer: {file}: {error.strerror}")
    except UnicodeDecodeError as error:
        print_message(f"mailer: {file}: not UTF-8 at octet {error.start}")
    raise typer.Exit(2)


def read_octets(file: Path) -> bytes:
    """The content of a file; exits with 2 and a message if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        print_message(f"mailer: {file}: {error.strerror}")
    raise typer.Exit(2)


def read_beside(file: str, path: str) -> bytes:
    """The content of the file at `path` below the folder of `file`. Raises OSError, also for a link out of there."""
    folder = Path(file).parent.resolve()
    found = (folder / path).resolve()
    if not found.is_relative_to(folder):
        raise PermissionError(errno.EACCES, "it leads out of the campaign file's folder")
    with found.open("rb") as content:
        return content.read(MOST_OCTETS + 1)


def write_new(file: Path, text: str, mode: int) -> None:
    """Write a new file that has this mode from the start. Raises FileExistsError rather than overwrite one."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as out:
        out.write(text)
