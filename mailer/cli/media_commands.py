"""`mailer media ...`: pictures and attachments of letters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import AsJson, print_json, read_octets, run_action

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.domain.accounts.actor import Actor
    from mailer.domain.letters.media import MediaFile

media = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Add and list pictures and attachments.")


@media.command("add")
def add(
    files: Annotated[list[Path], typer.Argument(help="Pictures (JPEG, PNG, GIF, WebP), or what letters can carry.")],
    list_name: Annotated[str, typer.Option("--list", help="The list whose letters are to have them.")],
    as_json: AsJson = False,
) -> None:
    """Keep files for letters; prints the path of each, which texts name: ![what it shows](/media/...)."""
    from mailer.actions.lists.media import add_media

    async def add_all(app: App, actor: Actor) -> list[MediaFile]:
        return [
            await add_media(app, actor, list_name=list_name, name=file.name, octets=read_octets(file)) for file in files
        ]

    added = run_action(add_all)
    if as_json:
        print_json([_as_json(one) for one in added])
        return
    for one in added:
        typer.echo(one.path)


@media.command("ls")
def ls(as_json: AsJson = False) -> None:
    """All files, the newest first: path, octets, when they were added and by whom."""
    from mailer.actions.lists.media import all_media

    found = run_action(all_media)
    if as_json:
        print_json([_as_json(one.file) | {"added_at": one.added_at, "added_by": one.added_by} for one in found])
        return
    for one in found:
        typer.echo(f"{one.file.path}\t{one.file.size}\t{one.added_at:%Y-%m-%d %H:%M}\t{one.added_by}")


def _as_json(file: MediaFile) -> dict[str, object]:
    return {
        "path": file.path,
        "name": file.shown_name or file.name,
        "media_type": file.media_type,
        "octets": file.size,
        "width": file.width,
        "height": file.height,
    }
