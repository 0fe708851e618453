"""`mailer serve`, `migrate` and `demo`."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import current_settings, print_message, report_errors

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

    from mailer.bootstrap import open_app, open_mailboxes, resource_folder, sending_processes
    from mailer.entrypoints.service.logging_setup import log_to_stderr
    from mailer.entrypoints.service.serve import serve as serve_app
    from mailer.store.migration import check_schema

    log_to_stderr()
    with report_errors():
        at_hand = current_settings()
        processes = sending_processes(at_hand)
        app = open_app(at_hand, processes=processes, for_sending=True)
        mailboxes = open_mailboxes(at_hand)
        _warn_of_short_keys(app)
        _warn_of_samples(app)
        if at_hand.service.serve_migrates if migrate is None else migrate:
            _bring_up_to_date(at_hand, save=True)
        else:
            check_schema(at_hand.database.url, resource_folder("migrations"))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve_app(app, at_hand.intake, at_hand.web, mailboxes, workers=processes))


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

    from mailer.bootstrap import open_app, resource_folder
    from mailer.entrypoints.service.logging_setup import log_to_stderr
    from mailer.entrypoints.service.worker import run_worker
    from mailer.errors import SettingsRefused
    from mailer.store.migration import check_schema

    log_to_stderr()
    with report_errors():
        at_hand = current_settings()
        if not at_hand.database.url.startswith("postgresql://"):
            raise SettingsRefused(
                "database.url: on SQLite one `mailer serve` does all the sending; workers need PostgreSQL"
            )
        check_schema(at_hand.database.url, resource_folder("migrations"))
        app = open_app(at_hand, processes=of, for_sending=True)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_worker(app, child=child))


def migrate(
    save: Annotated[
        bool, typer.Option("--backup/--no-backup", help="Save the database as it is first: a way back.")
    ] = True,
) -> None:
    """Bring the database's schema up to date, after a backup: a copy of a SQLite file, an archive of PostgreSQL."""
    with report_errors():
        _bring_up_to_date(current_settings(), save=save)
    print_message("The database is up to date.")


def _bring_up_to_date(at_hand: Settings, *, save: bool) -> None:
    from mailer.bootstrap import resource_folder
    from mailer.cli.backup_commands import backup_files
    from mailer.store.backup.write_backup import back_up_before_migration
    from mailer.store.migration import migrate_database, skip_backup

    migrations = resource_folder("migrations")
    saves = (
        partial(back_up_before_migration, backup_files(at_hand), migrations, datetime.now(UTC)) if save else skip_backup
    )
    if saved := migrate_database(at_hand.database.url, migrations, saves):
        print_message(f"The database was saved to {saved} before it was migrated.")


def demo() -> None:
    """Play the whole story on this machine, against real sockets, with invented people."""
    import sys

    from mailer.demo.story import run_demo

    with report_errors():
        raise typer.Exit(run_demo(stay=sys.stdin.isatty() and sys.stdout.isatty()))
