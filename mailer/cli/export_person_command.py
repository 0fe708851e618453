"""`mailer subscribers export-person`: all that is known of one person, to give to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import print_message, run_action, write_new

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.domain.accounts.actor import Actor


def export_person(
    address: str,
    file: Annotated[Path | None, typer.Argument(help="A new file; stdout if not given.")] = None,
    as_html: Annotated[
        bool, typer.Option("--html/--json", help="A page in the person's language to read, or JSON.")
    ] = False,
) -> None:
    """Everything that is known of an address: lists, consents with evidence, letters, what came back, imports.

    For people who ask what is kept of them (GDPR, articles 15 and 20). The audit log has who exported it.
    """
    text = run_action(lambda app, actor: _export(app, actor, address, as_html))
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        write_new(file, text, 0o600)
    except OSError as error:
        print_message(f"mailer: {file}: {error.strerror}")
        raise typer.Exit(2) from None
    print_message(f"{file} has everything that is known of {address}")


async def _export(app: App, actor: Actor, address: str, as_html: bool) -> str:
    from mailer.actions.exports.export_person import export_person as export
    from mailer.actions.exports.export_person import render_person

    exported = await export(app, actor, address)
    if as_html:
        return render_person(app, exported)
    return json.dumps(exported.data, ensure_ascii=False, indent=2) + "\n"
