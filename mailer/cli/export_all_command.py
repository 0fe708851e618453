"""`mailer export-all`: take a list, or everything, out."""

from __future__ import annotations

import gc
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, run_action

if TYPE_CHECKING:
    from mailer.actions.exports.export_all import ExportedList
    from mailer.app import App
    from mailer.domain.accounts.actor import Actor


def export_all(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    list_name: Annotated[
        str | None,
        typer.Option("--list", help="The list's name; all lists, each in a folder of its own, if not given."),
    ] = None,
    peer: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="PRODUCT", help="Only people, as listmonk, mailchimp, mailman or ghost read them."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Export a list whole: people, suppressions, consents, settings, letters and reports. The service may run.

    `mailer import-from DIR` brings people, wishes and consents back. The folder is there only once it is complete, and
    only you can read it. README.txt in it says what is what.
    """
    exported = _export(folder, list_name, peer)
    print_json([_as_json(one) for one in exported]) if as_json else _print(exported)


def _as_json(one: ExportedList) -> dict[str, Any]:
    """The keys of --json, which scripts read."""
    return {
        "list": one.list_name,
        "people": one.people,
        "suppressions": one.suppressions,
        "campaigns": one.campaigns,
        "left_out": one.left_out,
        "problems": one.problems,
    }


def _print(exported: Sequence[ExportedList]) -> None:
    for one in exported:
        for problem in one.problems:
            print_message(f"mailer: {one.list_name}: {problem}")
        out = f", {one.left_out} left out who must not get letters" if one.left_out else ""
        typer.echo(
            f"{one.list_name}: {one.people} people, {one.suppressions} suppressions, {one.campaigns} campaigns{out}"
        )


def _export(folder: Path, list_name: str | None, peer: str | None) -> tuple[ExportedList, ...]:
    from rich.console import Console
    from rich.progress import Progress

    from mailer.actions.exports.export_all import export_all as export_everything
    from mailer.actions.exports.export_for_peer import PEERS, export_for_peer

    if peer is not None and peer not in PEERS:
        print_message(f"mailer: --as {peer}: there are {', '.join(PEERS)}")
        raise typer.Exit(2)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("exporting", total=None)

        def progress(name: str, people: int) -> None:
            bar.update(task, description=f"{name}: {people} people")

        def run(app: App, actor: Actor) -> Coroutine[Any, Any, tuple[ExportedList, ...]]:
            gc.freeze()  # else each page's rows would make it look through all that is loaded again
            if peer is None:
                return export_everything(app, actor, list_name=list_name, folder=folder, progress=progress)
            return export_for_peer(app, actor, list_name=list_name, peer=peer, folder=folder, progress=progress)

        return run_action(run)
