"""`mailer import ...`: numbered imports, what they did, and undoing one."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, run_action

if TYPE_CHECKING:
    from mailer.domain.imports.import_run import ImportRunView
    from mailer.domain.imports.import_undo import UndoResult

imports = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Show and undo imports of people.")

Number = Annotated[int, typer.Argument(help="Of the import: mailer import ls.")]


@imports.command("ls")
def list_(
    list_name: Annotated[str | None, typer.Option("--list", help="The list's name; all lists if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """List imports, the newest first: number, list, when, by whom, of what, and what became of it."""
    from mailer.actions.imports.list_imports import list_imports

    runs = run_action(lambda app, actor: list_imports(app, actor, list_name=list_name))
    if as_json:
        print_json([_as_json(run) for run in runs])
        return
    for run in runs:
        columns = (run.list_name, run.started_at.isoformat(timespec="minutes"), run.started_by, run.source)
        typer.echo("\t".join((str(run.number), *columns, run.file_name, _standing(run))))


@imports.command("show")
def show(number: Number, as_json: AsJson = False) -> None:
    """Show an import: whose export it was, how many people became what, and what was left behind."""
    from mailer.actions.imports.list_imports import show_import

    run = run_action(lambda app, actor: show_import(app, actor, number))
    if as_json:
        print_json(_as_json(run))
        return
    typer.echo(f"import {run.number} into {run.list_name}: {_standing(run)}")
    typer.echo(f"{run.source}\t{run.file_name}\tsha256 {run.sha256 or 'not known'}")
    typer.echo(f"begun {run.started_at.isoformat()} by {run.started_by}")
    if run.undone_at:
        typer.echo(f"undone {run.undone_at.isoformat()} by {run.undone_by}")
    for name, count in run.counts.items():
        if count:
            typer.echo(f"{count}\t{name}")
    for one in run.left_behind:
        typer.echo(f"left behind\t{one}")


@imports.command("undo")
def undo(
    number: Number,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it you see what would be taken back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take an import back for everybody whom nothing has touched since.

    Who was new is gone then, and who stood on the list before stands as before. Who acted, was mailed, bounced, or was
    changed since stays. Undo the later of two imports first. Without --yes nothing is done.
    """
    from mailer.actions.imports.undo_import import preview_undo, undo_import

    if yes:
        done = run_action(lambda app, actor: undo_import(app, actor, number))
    else:
        done = run_action(lambda app, actor: preview_undo(app, actor, number))
    if as_json:
        print_json({**asdict(done), "done": yes})
        return
    typer.echo(_sentence(done, yes))
    for reason, count in done.kept.items():
        typer.echo(f"{count}\tstay, for since the import they {_KEPT_WORDS[reason]}")
    if not yes:
        print_message("Nothing has been undone: again with --yes")


_KEPT_WORDS = {
    "acted": "did something, or an organiser did",
    "mailed": "were mailed, or are about to be",
    "bounced": "had letters come back",
    "imported again": "were in a later import",
    "changed": "were changed",
}


def _sentence(done: UndoResult, yes: bool) -> str:
    would = "are" if yes else "would be"
    lifted = f", the suppressions of {done.lifted} who are no subscribers {would} lifted" if done.lifted else ""
    return f"{done.undone} people {would} as before import {done.number}{lifted}, {sum(done.kept.values())} stay"


def _standing(run: ImportRunView) -> str:
    if run.undone_at:
        return "undone"
    return "ended" if run.ended_at else "running, or broken off"


def _as_json(run: ImportRunView) -> dict[str, Any]:
    times = {name: at and at.isoformat() for name, at in asdict(run).items() if name.endswith("_at")}
    return {**asdict(run), **times}
