"""`mailer subscribers ...`: import, add, export and show people."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from mailer.cli.cli_context import AsJson, collect_garbage_rarely, print_json, print_message, report_errors, run_action
from mailer.cli.people_file import open_people_file

if TYPE_CHECKING:
    from mailer.actions.imports.import_report import ImportResult
    from mailer.domain.person_view import PersonView
    from mailer.importers.bad_row import BadRow

people = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Import, export and look up subscribers.")

ListName = Annotated[str, typer.Option("--list", help="The list's name.")]
_ROWS_SHOWN = 20


@people.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV file, or a plain list of addresses.")],
    list_name: ListName,
    invite: Annotated[bool, typer.Option("--invite", help="Ask each by letter instead of taking your word.")] = False,
    ignored: Annotated[
        list[str] | None,
        typer.Option("--ignore-column", metavar="NAME", help="Leave this column out; may be given again."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="The file's, if the guess is wrong: cp1254, koi8-r.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put people on a list; bad rows are reported by line, and do not stop the rest.

    The first line names the columns: email (E-Mail, Correo ...), name (or first and last name), language, zone; others
    are kept as attributes. What is guessed is said. Who left stays out.

    A column that says who left, agreed or bounced is not understood: the table is refused, unless that column is named
    with --ignore-column. What `export --all` wrote brings all states back. Exit 1 where no row could be used.
    """
    with report_errors(), open_people_file(file, encoding) as (table, guessed):
        evidence = {"file": file.name} | ({"ignored": sorted(ignored)} if ignored else {})
        imported = _import_table(table, list_name, evidence, invite, ignored or (), file.stat().st_size)
    _print_imported(imported, as_json, invite, guessed)


@people.command("add")
def add(
    address: str,
    list_name: ListName,
    name: Annotated[str, typer.Option(help="As letters are to greet them.")] = "",
    language: Annotated[str, typer.Option(help="Of their letters: en, pt-br.")] = "",
    zone: Annotated[str, typer.Option(help="The time zone in which letters give times: Europe/Berlin.")] = "",
    invite: Annotated[bool, typer.Option("--invite", help="Ask by letter instead of taking your word.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put one person on a list."""
    from mailer.domain.language import parse_language
    from mailer.domain.local_time import parse_zone

    with report_errors():
        zone = parse_zone(zone).key if zone else ""
    if language and not parse_language(language):
        print_message(f"mailer: {language!r} is not a language tag like en or tr")
        raise typer.Exit(2)
    table = io.StringIO()
    csv.writer(table).writerows([["email", "name", "language", "zone"], [address, name, language, zone]])
    table.seek(0)
    _print_imported(
        _import_table(table, list_name, {"command": "subscribers add"}, invite, (), None), as_json, invite, None
    )


def _import_table(
    table: TextIO,
    list_name: str,
    source: dict[str, Any],
    invite: bool,
    ignored: Collection[str],
    octets: int | None,
) -> ImportResult:
    from rich.console import Console
    from rich.progress import Progress

    from mailer.actions.imports.import_people import import_people
    from mailer.domain.consent import Channel, Evidence

    collect_garbage_rarely()
    evidence = Evidence(Channel.IMPORT, source)
    with Progress(console=Console(stderr=True), transient=True, disable=octets is None) as bar:
        task = bar.add_task("importing", total=octets)

        def progress(done: int) -> None:
            at = min(table.buffer.tell() if hasattr(table, "buffer") else 0, octets or 0)
            bar.update(task, completed=at, description=f"{done} rows")

        return run_action(
            lambda app, actor: import_people(
                app,
                actor,
                list_name=list_name,
                file=table,
                evidence=evidence,
                invite=invite,
                ignored=ignored,
                progress=progress,
            )
        )


def _print_imported(imported: ImportResult, as_json: bool, invite: bool, guessed: str | None) -> None:
    guesses = [*filter(None, [guessed]), *imported.guessed]
    counts = {
        "rows": imported.rows,
        "added": imported.added,
        "known": imported.known,
        "repeated": imported.repeated,
        "kept_out": imported.kept_out,
        "bad": imported.bad_rows,
    }
    if as_json:
        lines = {"bad_rows": imported.bad, "remarks": imported.remarks}
        rows_as_json = {
            name: [{"line": one.line, "reason": one.reason} for one in rows] for name, rows in lines.items()
        }
        print_json(counts | rows_as_json | {"guessed": guesses})
    else:
        for one in guesses:
            print_message(one)
        _print_rows(imported.remarks)
        _print_rows(imported.bad)
        word = "invited" if invite else "added"
        kept_out, repeated = (
            f"{imported.kept_out} kept out (they left)",
            f"{imported.repeated} repeated (the last row counts)",
        )
        known, bad = f"{imported.known} known before", f"{imported.bad_rows} bad rows"
        typer.echo(f"{imported.added} {word}, {known}, {repeated}, {kept_out}, {bad}: {imported.rows} rows")
    if imported.rows and imported.bad_rows == imported.rows:
        raise typer.Exit(1)


def _print_rows(rows: Sequence[BadRow]) -> None:
    for row in rows[:_ROWS_SHOWN]:
        print_message(f"line {row.line}: {row.reason}")
    if len(rows) > _ROWS_SHOWN:
        print_message(f"... and {len(rows) - _ROWS_SHOWN} more (--json lists them)")


@people.command("export")
def export(
    list_name: ListName,
    file: Annotated[Path | None, typer.Argument(help="Where to; stdout if not given.")] = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="With pending and departed people, and their state.")
    ] = False,
    bom: Annotated[bool, typer.Option(help="Begin with a byte order mark, by which spreadsheets know UTF-8.")] = True,
) -> None:
    """Take a list's people out, as the CSV that brings them back."""
    from mailer.actions.exports.export_people import export_people

    try:
        sink = file.open("wb") if file else sys.stdout.buffer
    except OSError as error:
        print_message(f"mailer: {file}: {error.strerror}")
        raise typer.Exit(2) from None
    with io.TextIOWrapper(sink, "utf-8-sig" if bom else "utf-8", newline="") as out:
        number = run_action(
            lambda app, actor: export_people(app, actor, list_name=list_name, file=out, everybody=everybody)
        )
        out.flush()
    print_message(f"{number} exported")


@people.command("show")
def show(address: str, as_json: AsJson = False) -> None:
    """What is known of an address: subscriptions, standing orders, what came back, and the consent record."""
    from mailer.actions.subscriptions.show_person import show_person

    person = run_action(lambda app, actor: show_person(app, actor, address))
    if as_json:
        print_json(_as_json(person))
        return
    typer.echo(person.address + ("\tnever to be mailed" if person.never else ""))
    for list_name, state in person.subscriptions.items():
        paused = ", paused" if list_name in person.paused else ""
        mode = person.delivery_modes.get(list_name)
        chosen = f"\tchose a digest ({mode}) elsewhere; gets each letter" if mode else ""
        typer.echo(f"{list_name}\t{state}{paused}{chosen}")
    for suppression in person.suppressions:
        until = f" until {suppression.until.isoformat()}" if suppression.until else ""
        typer.echo(f"{suppression.list_name}\tno letters\t{suppression.reason}{until}")
    for bounce in person.bounces:
        said = bounce.complaint or bounce.diagnostic or bounce.status or ""
        undone = "\tundone" if bounce.undone else ""
        columns = (bounce.at.isoformat(), bounce.list_name, bounce.kind, bounce.severity, bounce.reason, bounce.channel)
        typer.echo("\t".join(column or "-" for column in columns) + f"\t{said}{undone}")
    for line in person.consents:
        evidence = "; ".join(f"{key}: {value}" for key, value in line.evidence.items())
        typer.echo(f"{line.at.isoformat()}\t{line.list_name}\t{line.act}\t{line.channel}\t{evidence}")


def _as_json(person: PersonView) -> dict[str, Any]:
    """The keys of --json, which scripts read."""
    return {
        "address": person.address,
        "never": person.never,
        "suppressed": [
            {"list": one.list_name, "reason": one.reason, "until": one.until and one.until.isoformat()}
            for one in person.suppressions
        ],
        "subscriptions": person.subscriptions,
        "paused": sorted(person.paused),
        "delivery_modes": person.delivery_modes,
        "returned": [
            {
                "at": one.at.isoformat(),
                "list": one.list_name,
                "campaign_id": one.campaign_id,
                "letter": one.letter,
                "kind": one.kind,
                "weight": one.severity,
                "reason": one.reason,
                "status": one.status,
                "complaint": one.complaint,
                "way": one.channel,
                "diagnostic": one.diagnostic,
                "undone": one.undone,
            }
            for one in person.bounces
        ],
        "consents": [
            {
                "at": one.at.isoformat(),
                "list": one.list_name,
                "act": one.act,
                "way": one.channel,
                "evidence": one.evidence,
            }
            for one in person.consents
        ],
    }
