"""What every command shares: the App it acts on, how results are printed, and what a failure exits with."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from mailer import errors
from mailer.errors import MailerError

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.settings.load import Settings

R = TypeVar("R")

_USAGE_ERRORS = (
    errors.SettingsRefused,
    errors.SettingsUnfinished,
    errors.SecretUnreadable,
    errors.DkimKeyRefused,
    errors.ListenAddressTaken,
    errors.DatabaseOwned,
    errors.DatabaseMoved,
    errors.SchemaUnknown,
    errors.TimeRefused,
    errors.ListNameRefused,
    errors.ListFooterRefused,
)
"""What the caller has to put right first: exit 2. All other refusals exit 1."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Anyway = Annotated[
    bool, typer.Option("--anyway", help="Even though the settings still hold samples, or lead readers nowhere.")
]


def print_message(text: str) -> None:
    """A message for people: on stderr, so that stdout holds results alone."""
    typer.echo(text, err=True)


def print_json(value: Any) -> None:
    """A result for programs."""
    typer.echo(json.dumps(value, default=str, ensure_ascii=False))


@contextmanager
def report_errors() -> Iterator[None]:
    """Turn a refusal into one line on stderr and an exit code."""
    try:
        yield
    except MailerError as refusal:
        print_message(f"mailer: {refusal}")
        raise typer.Exit(2 if isinstance(refusal, _USAGE_ERRORS) else 1) from None
    except BrokenPipeError:
        # Whoever read us (head, less) has enough; Python must not complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def current_settings() -> Settings:
    """The settings at hand."""
    from mailer.settings.load import load_settings

    return load_settings()


def run_action(action: Callable[[App], Coroutine[Any, Any, R]]) -> R:
    """Run an action on the App of the settings at hand, in a loop of its own."""
    from mailer.bootstrap import open_app, resource_folder
    from mailer.store.migration import check_schema

    async def run(app: App) -> R:
        try:
            return await action(app)
        finally:
            await app.close()

    with report_errors():
        at_hand = current_settings()
        check_schema(at_hand.database.url, resource_folder("migrations"))
        app = open_app(at_hand)
        return asyncio.run(run(app))


def read_text(file: Path) -> str:
    """A text file, or one line about why not and exit 2."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        print_message(f"mailer: {file}: {error.strerror}")
    except UnicodeDecodeError as error:
        print_message(f"mailer: {file}: not UTF-8 at octet {error.start}")
    raise typer.Exit(2)
