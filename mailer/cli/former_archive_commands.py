"""`mailer archive ...`: letters that other software sent before a list moved here."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, report_errors, run_action

if TYPE_CHECKING:
    from mailer.actions.archive.import_letters import LetterImport
    from mailer.importers.source_files import SourceFiles

archives = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Letters from before a list moved here.")

ListName = Annotated[str, typer.Option("--list", help="The list's name.")]
_SHOWN = 20


@archives.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A file, folder or zip; - reads standard input.")],
    list_name: ListName,
    yes: Annotated[bool, typer.Option("--yes", help="Write; without it you see what would be written.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put the letters of other software into a list's archive.

    Read are mbox files (Mailman 2.1, HyperKitty's mbox.gz, Google Takeout), folders of mails (Sympa, mlmmj), and
    Mailchimp's campaigns, HTML pages with campaigns.csv. Their text comes along, without pictures, attachments and
    addresses. Whoever may read the list's archive may read them. The same letters twice change nothing.
    """
    from mailer.actions.archive.import_letters import import_letters

    with report_errors(), _open(path) as source:
        done = run_action(
            lambda app, actor: import_letters(app, actor, list_name=list_name, files=source.files, dry_run=not yes)
        )
    if as_json:
        left_behind = [{"where": one.place, "reason": one.reason} for one in done.left_behind]
        print_json({"letters": done.letters, "added": done.added, "written": yes, "left_behind": left_behind})
        return
    for one in done.left_behind[:_SHOWN]:
        print_message(f"{one.place}: {one.reason}")
    if len(done.left_behind) > _SHOWN:
        print_message(f"... and {len(done.left_behind) - _SHOWN} more (--json lists them)")
    typer.echo(_sentence(done, yes))


def _open(path: Path) -> AbstractContextManager[SourceFiles]:
    from mailer.importers.sources.open_source import open_source, open_stream

    return open_stream(sys.stdin.buffer) if str(path) == "-" else open_source(path)


def _sentence(done: LetterImport, written: bool) -> str:
    span = f", from {done.first.sent_at:%Y-%m-%d} to {done.last.sent_at:%Y-%m-%d}" if done.first and done.last else ""
    if written:
        return f"{done.letters} letters{span}: {done.added} are new in the archive"
    return f"{done.letters} letters{span}. Nothing has been written: again with --yes"


@archives.command("drop")
def drop(
    list_name: ListName,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; they can be imported again.")] = False,
) -> None:
    """Take all imported letters out of a list's archive; the list's own stay."""
    from mailer.actions.archive.import_letters import drop_earlier_letters

    if not yes:
        print_message(f"This takes all imported letters out of the archive of {list_name}: again with --yes")
        raise typer.Exit(2)
    dropped = run_action(lambda app, actor: drop_earlier_letters(app, actor, list_name))
    print_message(f"{dropped} letters dropped")
