"""`mailer import-from`: take over the people of another service, or of any table, with what each of them wanted."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import AsJson, collect_garbage_rarely, print_message, report_errors, run_action, write_new
from mailer.domain.subscription import SubscriptionState

if TYPE_CHECKING:
    from mailer.actions.imports.import_report import ImportResult
    from mailer.actions.imports.plan_import import ImportPlan
    from mailer.app import App
    from mailer.domain.accounts.actor import Actor
    from mailer.importers.export_format import ReadOptions
    from mailer.importers.open_export import OpenedExport
    from mailer.importers.source_files import SourceFiles

_HEADING = r'\s*(?:"[^"]+"|[^"+\s][^"+]*)\s*'
_COLUMN = re.compile(rf"(?P<ours>[a-z][a-z0-9_]*)=(?P<theirs>{_HEADING}(?:\+{_HEADING})*)")


_Source = Annotated[Path, typer.Argument(help="What the other service gave: a file, a folder, a zip, or - for a pipe.")]
_OurList = Annotated[str, typer.Option("--list", metavar="LIST", help="Our list.")]
_From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="NAME",
        help="Whose export it is, where that is not clear: mailman21, mailman3, sympa, mlmmj, listmonk, phplist, "
        "keila, ghost, substack, mailchimp, buttondown, brevo, google-groups, mailer, spreadsheet.",
    ),
]
_TheirList = Annotated[
    str | None, typer.Option(metavar="NAME", help="The list's name there, of an export that has several.")
]
_Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="OURS=THEIRS",
        help="What a spreadsheet's column is: email=E-Mail; name=Vorname+Nachname joins two. May be given again.",
    ),
]
_Ignored = Annotated[
    list[str] | None, typer.Option("--ignore-column", metavar="NAME", help="Leave this column out; again for more.")
]
_State = Annotated[
    SubscriptionState | None,
    typer.Option(help="Of all people of an export that does not say it. Who left stays out all the same."),
]
_Zone = Annotated[
    str | None, typer.Option(help="The time zone of the old server, for times that name none: Europe/Berlin.")
]
_Encoding = Annotated[str | None, typer.Option(help="Of texts, if the guess is wrong: cp1254, koi8-r.")]
_Bad = Annotated[Path | None, typer.Option(metavar="FILE", help="A new file for all rows that cannot be used.")]


def import_from(
    path: _Source,
    list_name: _OurList,
    peer: _From = None,
    source_list: _TheirList = None,
    columns: _Columns = None,
    ignored: _Ignored = None,
    state: _State = None,
    zone: _Zone = None,
    encoding: _Encoding = None,
    invite: Annotated[bool, typer.Option("--invite", help="Ask each reader by letter instead.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without this nothing is written.")] = False,
    bad: _Bad = None,
    as_json: AsJson = False,
) -> None:
    """Move in: take over people from other software, with who left, bounced or complained.

    Says what it found and what would become of whom; only --yes writes it, as a numbered import that can be undone.
    The stricter wins: whoever left there or here stays out. Nobody is written to. See docs/moving.md.

    Exit 1 for what is refused, and where no row could be used.
    """
    from mailer.importers.open_export import open_export

    with report_errors(), _open_path(path) as source:
        options = _read_options(source_list, columns or [], ignored or [], state, zone, encoding)
        export = open_export(source, peer, options)
        with _progress_bar() as progress:
            plan, done = run_action(
                lambda app, actor: _plan_and_run(
                    app, actor, export, list_name=list_name, invite=invite, write=yes, progress=progress
                )
            )
    from mailer.cli.import_from_report import print_plan, print_plan_as_json

    if bad is not None:
        _write_bad_rows(bad, plan)
    (print_plan_as_json if as_json else print_plan)(export, plan, done)
    if plan.bad_rows and not plan.people:
        raise typer.Exit(1)


async def _plan_and_run(
    app: App,
    actor: Actor,
    export: OpenedExport,
    *,
    list_name: str,
    invite: bool,
    write: bool,
    progress: Callable[[str, int, int | None], None],
) -> tuple[ImportPlan, ImportResult | None]:
    from mailer.actions.imports.plan_import import plan_import
    from mailer.actions.imports.run_import import run_import

    collect_garbage_rarely()

    async with await plan_import(
        app,
        actor,
        list_name=list_name,
        export=export,
        invite=invite,
        with_outcomes=not write,
        progress=lambda rows: progress("reading", rows, None),
    ) as plan:
        if not write:
            return plan, None
        people = plan.people
        return plan, await run_import(app, actor, plan, progress=lambda done: progress("writing", done, people))


@contextmanager
def _open_path(path: Path) -> Iterator[SourceFiles]:
    """The files at a path, or of standard input; exits with 2 and a message where there is nothing."""
    from mailer.importers.sources.open_source import open_source, open_stream

    if str(path) == "-":
        with open_stream(sys.stdin.buffer) as source:
            yield source
        return
    if not path.exists():
        print_message(f"mailer: {path}: No such file or directory")
        raise typer.Exit(2)
    with open_source(path) as source:
        yield source


def _read_options(
    source_list: str | None,
    columns: list[str],
    ignored: list[str],
    state: SubscriptionState | None,
    zone: str | None,
    encoding: str | None,
) -> ReadOptions:
    from mailer.domain.local_time import parse_zone
    from mailer.importers.export_format import ReadOptions

    return ReadOptions(
        source_list=source_list,
        columns=dict(map(parse_column, columns)),
        ignored=frozenset(ignored),
        state=state,
        zone=parse_zone(zone).key if zone else None,
        encoding=encoding,
    )


def parse_column(text: str) -> tuple[str, tuple[str, ...]]:
    """Our column and the headings of theirs, of `name="Vorname"+"Nachname"`; quotes are for headings with a plus.

    Exits with 2 and a message for anything else.
    """
    match = _COLUMN.fullmatch(text)
    if match is None:
        print_message(f"mailer: --column {text!r} must be like email=E-Mail or name=Vorname+Nachname")
        raise typer.Exit(2)
    return match["ours"], tuple(one.strip().strip('"') for one in re.findall(_HEADING, match["theirs"]))


@contextmanager
def _progress_bar() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar on a terminal's stderr; elsewhere nothing."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("reading", total=None)

        def show(doing: str, done: int, total: int | None) -> None:
            bar.update(task, description=f"{doing}: {done:,}", completed=done, total=total)

        yield show


def _write_bad_rows(file: Path, plan: ImportPlan) -> None:
    try:
        write_new(file, "".join(f"{row.where}\t{row.reason}\n" for row in plan.bad), 0o600)
    except OSError as error:
        print_message(f"mailer: {file}: {error.strerror}")
        raise typer.Exit(2) from None
