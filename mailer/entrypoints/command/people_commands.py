"""`mailer subscribers ...`: bringing people along, taking them out, looking one up."""

from __future__ import annotations

import csv
import getpass
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from mailer.entrypoints.command.console import AsJson, act, say, show_json

if TYPE_CHECKING:
    from mailer.actions.writing.import_people import Imported

people = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Import, export and look up subscribers.")

ListName = Annotated[str, typer.Option("--list", help="The list's name.")]
_BAD_ROWS_SHOWN = 20


@people.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with a header: email, name, language, zone, anything else.")],
    list_name: ListName,
    invite: Annotated[bool, typer.Option("--invite", help="Ask each by letter instead of taking your word.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put people on a list; bad rows are told by line, and never stop the rest."""
    try:
        with file.open(encoding="utf-8", errors="surrogateescape", newline="") as table:
            done = _take_in(table, list_name, {"file": file.name}, invite, file.stat().st_size)
    except OSError as trouble:
        say(f"mailer: {file}: {trouble.strerror}")
        raise typer.Exit(2) from None
    _told(done, as_json, invite)


@people.command("add")
def add(
    address: str,
    list_name: ListName,
    name: Annotated[str, typer.Option(help="As letters are to greet them.")] = "",
    language: Annotated[str, typer.Option(help="Of their letters: en, pt-br.")] = "",
    zone: Annotated[str, typer.Option(help="By whose clock hours are told to them: Europe/Berlin.")] = "",
    invite: Annotated[bool, typer.Option("--invite", help="Ask by letter instead of taking your word.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put one person on a list."""
    table = io.StringIO()
    csv.writer(table).writerows([["email", "name", "language", "zone"], [address, name, language, zone]])
    table.seek(0)
    done = _take_in(table, list_name, {"command": "subscribers add"}, invite, None)
    _told(done, as_json, invite)
    if done.bad:
        raise typer.Exit(1)


def _take_in(table: TextIO, list_name: str, told: dict[str, str], invite: bool, octets: int | None) -> Imported:
    from rich.console import Console
    from rich.progress import Progress

    from mailer.actions.writing.import_people import import_people
    from mailer.domain.consent import Evidence, Way

    evidence = Evidence(Way.IMPORT, told | {"by": getpass.getuser()})
    with Progress(console=Console(stderr=True), transient=True, disable=octets is None) as bar:
        task = bar.add_task("importing", total=octets)

        def progress(done: Imported) -> None:
            seen = done.added + done.known + done.kept_out + len(done.bad)
            at = min(table.buffer.tell() if hasattr(table, "buffer") else 0, octets or 0)
            bar.update(task, completed=at, description=f"{seen} rows")

        return act(
            lambda app: import_people(
                app, list_name=list_name, file=table, evidence=evidence, invite=invite, progress=progress
            )
        )


def _told(done: Imported, as_json: bool, invite: bool) -> None:
    counts = {"added": done.added, "known": done.known, "kept_out": done.kept_out, "bad": len(done.bad)}
    if as_json:
        show_json(counts | {"bad_rows": [{"line": row.line, "reason": row.reason} for row in done.bad]})
        return
    for row in done.bad[:_BAD_ROWS_SHOWN]:
        say(f"line {row.line}: {row.reason}")
    if len(done.bad) > _BAD_ROWS_SHOWN:
        say(f"... and {len(done.bad) - _BAD_ROWS_SHOWN} more (--json lists them all)")
    word = "invited" if invite else "added"
    kept_out = f"{done.kept_out} kept out (they left)"
    typer.echo(f"{done.added} {word}, {done.known} known before, {kept_out}, {len(done.bad)} bad rows")


@people.command("export")
def export(
    list_name: ListName,
    file: Annotated[Path | None, typer.Argument(help="Where to; stdout if not given.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="With pending and departed people, and a state.")] = False,
) -> None:
    """Take a list's people out, as the CSV that brings them back."""
    from mailer.actions.writing.export_people import export_people

    try:
        out = file.open("w", encoding="utf-8", newline="") if file else sys.stdout
    except OSError as trouble:
        say(f"mailer: {file}: {trouble.strerror}")
        raise typer.Exit(2) from None
    with out:
        number = act(lambda app: export_people(app, list_name=list_name, file=out, everybody=everybody))
        out.flush()
    say(f"{number} exported")


@people.command("show")
def show(address: str, as_json: AsJson = False) -> None:
    """What is known of an address: subscriptions, standing orders, what came back, and the consent record."""
    from mailer.actions.writing.show_person import show_person

    person = act(lambda app: show_person(app, address))
    if as_json:
        show_json(person)
        return
    typer.echo(person["address"] + ("\tnever to be mailed" if person["never"] else ""))
    for list_name, state in person["subscriptions"].items():
        typer.echo(f"{list_name}\t{state}")
    for order in person["suppressed"]:
        typer.echo(f"{order['list']}\tno letters\t{order['reason']}")
    for line in person["returned"]:
        said = line["complaint"] or line["diagnostic"] or line["status"] or ""
        undone = "\tundone" if line["undone"] else ""
        what = "\t".join(str(line[name] or "-") for name in ("at", "list", "kind", "weight", "reason", "way"))
        typer.echo(f"{what}\t{said}{undone}")
    for line in person["consents"]:
        typer.echo(f"{line['at']}\t{line['list']}\t{line['act']}\t{line['way']}\t{line['evidence']}")


@people.command("restore")
def restore(address: str, list_name: ListName, as_json: AsJson = False) -> None:
    """Write again to an address whose letters came back, or that complained; what came back counts no more."""
    from mailer.actions.writing.restore_person import restore_person

    restored = act(lambda app: restore_person(app, address, list_name=list_name, by=getpass.getuser()))
    if as_json:
        show_json({"address": address, "list": list_name, "state": restored.state, "lifted": restored.lifted})
    else:
        lifted = ", ".join(restored.lifted) or "nothing stood in the way"
        typer.echo(f"{address} is {restored.state} on {list_name} (lifted: {lifted})")
