"""`mailer serve`, `migrate` and `demo`."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import say, settings, told_plainly

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

    from mailer.app import open_app, resource, sending_processes
    from mailer.entrypoints.imap.poller import open_mailboxes
    from mailer.entrypoints.service.logging_setup import log_to_stderr
    from mailer.entrypoints.service.serve import serve as serve_app
    from mailer.store.migration import check_schema

    log_to_stderr()
    with told_plainly():
        at_hand = settings()
        processes = sending_processes(at_hand)
        app = open_app(at_hand, of=processes, sending=True)
        mailboxes = open_mailboxes(at_hand)
        _warn_of_short_keys(app)
        _warn_of_samples(app)
        if at_hand.service.serve_migrates if migrate is None else migrate:
            _bring_up_to_date(at_hand, save=True)
        else:
            check_schema(at_hand.database.url, resource("migrations"))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve_app(app, at_hand.intake, at_hand.web, mailboxes, workers=processes))


def _warn_of_short_keys(app: App) -> None:
    from mailer.mail.dkim.signing import SOUND_BITS

    for signer in app.signers:
        if signer.key.key_size < SOUND_BITS:
            say(f"mailer: the DKIM key of {signer.record_name} has {signer.key.key_size} bits; use {SOUND_BITS}")


def _warn_of_samples(app: App) -> None:
    from mailer.actions.delivery.refuse_sample_settings import unfinished

    if (why := unfinished(app)) is not None:
        say(f"mailer: [service] in settings.toml: {why}; until that is mended campaigns are held")


def worker(
    of: Annotated[int, typer.Option(min=1, help="How many processes on this machine share the connections.")] = 1,
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
) -> None:
    """Launch and send beside a `serve` on the same PostgreSQL, until SIGINT or SIGTERM; on any machine, any number."""
    import asyncio

    import uvloop

    from mailer.app import open_app, resource
    from mailer.entrypoints.service.logging_setup import log_to_stderr
    from mailer.entrypoints.service.worker import work
    from mailer.errors import SettingsRefused
    from mailer.store.migration import check_schema

    log_to_stderr()
    with told_plainly():
        at_hand = settings()
        if not at_hand.database.url.startswith("postgresql://"):
            raise SettingsRefused(
                "database.url: on SQLite one `mailer serve` does all the sending; workers need PostgreSQL"
            )
        check_schema(at_hand.database.url, resource("migrations"))
        app = open_app(at_hand, of=of, sending=True)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work(app, child=child))


def migrate(
    save: Annotated[
        bool, typer.Option("--backup/--no-backup", help="Save the database as it is first: a way back.")
    ] = True,
) -> None:
    """Bring the database's schema up to date, after a backup: a copy of a SQLite file, an archive of PostgreSQL."""
    with told_plainly():
        _bring_up_to_date(settings(), save=save)
    say("The database is up to date.")


def _bring_up_to_date(at_hand: Settings, *, save: bool) -> None:
    from mailer.app import resource
    from mailer.cli.backup_commands import belongings
    from mailer.store.backup.write_backup import save_before_leaving
    from mailer.store.migration import bring_up_to_date, save_nothing

    migrations = resource("migrations")
    saves = partial(save_before_leaving, belongings(at_hand), migrations, datetime.now(UTC)) if save else save_nothing
    if saved := bring_up_to_date(at_hand.database.url, migrations, saves):
        say(f"The database was saved to {saved} before it was migrated.")


def demo() -> None:
    """Play the whole story on this machine, against real sockets, with invented people."""
    import sys

    from mailer.demo.story import play

    with told_plainly():
        raise typer.Exit(play(stay=sys.stdin.isatty() and sys.stdout.isatty()))
