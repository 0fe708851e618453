"""`mailer serve`, `worker`, `migrate` and `demo`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import command_actor, current_settings, print_message, report_errors

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.settings.load import Settings


def serve(
    migrate: Annotated[
        bool | None,
        typer.Option(
            "--migrate/--no-migrate", help="Bring the database up to date first (as settings say).", show_default=False
        ),
    ] = None,
) -> None:
    """Run the service: mail in, pages, clock and sending, until SIGINT or SIGTERM."""
    import asyncio

    import uvloop

    from mailer.actions.maintenance.migrate import check_schema
    from mailer.bootstrap import open_app, open_mailboxes, sending_processes
    from mailer.entrypoints.service.logging_setup import log_to_stderr
    from mailer.entrypoints.service.serve import serve as serve_app

    log_to_stderr()
    with report_errors():
        settings = current_settings()
        processes = sending_processes(settings)
        app = open_app(settings, processes=processes, for_sending=True)
        mailboxes = open_mailboxes(settings)
        _warn_of_short_keys(app)
        _warn_of_samples(app)
        if settings.service.serve_migrates if migrate is None else migrate:
            _migrate(settings, back_up=True)
        else:
            check_schema(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve_app(app, settings.intake, settings.web, mailboxes, workers=processes))


def _warn_of_short_keys(app: App) -> None:
    from mailer.mail.dkim.signing import RECOMMENDED_KEY_BITS

    for signer in app.signers:
        if signer.key.key_size < RECOMMENDED_KEY_BITS:
            size = f"{signer.key.key_size} bits; use {RECOMMENDED_KEY_BITS}"
            print_message(f"mailer: the DKIM key of {signer.record_name} has {size}")


def _warn_of_samples(app: App) -> None:
    from mailer.actions.delivery.refuse_sample_settings import find_sample_settings

    if (why := find_sample_settings(app)) is not None:
        print_message(f"mailer: [service] in settings.toml: {why}; until that is mended campaigns are held")


def worker(
    of: Annotated[int, typer.Option(min=1, help="How many processes on this machine share the connections.")] = 1,
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
) -> None:
    """Launch and send beside a `serve` on the same PostgreSQL, until SIGINT or SIGTERM; on any machine, any number."""
    import asyncio

    import uvloop

    from mailer.actions.maintenance.migrate import check_schema
    from mailer.bootstrap import open_app
    from mailer.entrypoints.service.logging_setup import log_to_stderr
    from mailer.entrypoints.service.worker import run_worker
    from mailer.errors import SettingsRefused

    log_to_stderr()
    with report_errors():
        settings = current_settings()
        if not settings.database.url.startswith("postgresql://"):
            raise SettingsRefused(
                "database.url: on SQLite one `mailer serve` does all the sending; workers need PostgreSQL"
            )
        check_schema(settings)
        app = open_app(settings, processes=of, for_sending=True)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_worker(app, child=child))


def migrate(
    save: Annotated[
        bool, typer.Option("--backup/--no-backup", help="Save the database as it is first: a way back.")
    ] = True,
) -> None:
    """Bring the database's schema up to date, after a backup: a copy of a SQLite file, an archive of PostgreSQL."""
    with report_errors():
        _migrate(current_settings(), back_up=save)
    print_message("The database is up to date.")


def _migrate(settings: Settings, *, back_up: bool) -> None:
    from mailer.actions.maintenance.migrate import migrate_database

    if saved := migrate_database(settings, command_actor(), datetime.now(UTC), back_up=back_up):
        print_message(f"The database was saved to {saved} before it was migrated.")


def demo() -> None:
    """Play the whole story on this machine, against real sockets, with invented people."""
    import sys

    from mailer.demo.story import run_demo

    with report_errors():
        raise typer.Exit(run_demo(stay=sys.stdin.isatty() and sys.stdout.isatty()))
