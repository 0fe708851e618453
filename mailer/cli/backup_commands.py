"""`mailer backup` and `mailer restore`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import AsJson, say, settings, show_json, told_plainly

if TYPE_CHECKING:
    from mailer.settings.load import Settings
    from mailer.store.backup.restore_backup import Restored
    from mailer.store.backup.write_backup import Belongings


def belongings(at_hand: Settings) -> Belongings:
    """What goes into a backup besides the database."""
    from mailer.store.backup.write_backup import Belongings

    return Belongings(spool=at_hand.intake.spool, secret_file=at_hand.service.secret_file)


def backup(
    file: Annotated[Path, typer.Argument(help="A new file; nothing is overwritten.")], as_json: AsJson = False
) -> None:
    """Write the database, the spool and the secret into one file, while the service runs.

    Keep it as you keep the secret. settings.toml, templates and DKIM keys are not in it.
    """
    from mailer.app import resource
    from mailer.store.backup.write_backup import back_up

    with told_plainly():
        at_hand = settings()
        made = back_up(at_hand.database.url, belongings(at_hand), resource("migrations"), file, datetime.now(UTC))
    if as_json:
        show_json(asdict(made) | {"file": str(file)})
        return
    say(f"{file}: everything as it was at {made.at}; {sum(one.rows for one in made.tables.values())} rows.")
    for name in made.missing:
        say(f"mailer: the mail {name} was lost from the spool before; it is not in the backup")


def restore(
    file: Annotated[Path, typer.Argument(help="What `mailer backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Where there is a database already: back it up aside, and replace it.")
    ] = False,
    migrate: Annotated[
        bool, typer.Option("--migrate/--no-migrate", help="Bring an older backup's schema up to date.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Put a backup's database, spool and secret into the places that the settings name; all of it or nothing.

    The database may be of another kind than the one backed up. All campaigns stand still until you resume them.
    """
    from mailer.app import resource
    from mailer.store.backup.restore_backup import restore as put_back

    with told_plainly():
        at_hand = settings()
        done = put_back(
            at_hand.database.url,
            belongings(at_hand),
            resource("migrations"),
            file,
            datetime.now(UTC),
            replace=replace,
            migrate=migrate,
        )
    show_json(asdict(done)) if as_json else _tell(done)


def _tell(done: Restored) -> None:
    at = done.manifest.at
    typer.echo(f"Everything is as it was at {at}. What happened since is not known here:")
    typer.echo("- Who left, complained or bounced since then would be mailed again: take them off before you send.")
    typer.echo("- Who joined or confirmed since then is not on the lists.")
    for number in done.standstill.paused:
        typer.echo(f"- Campaign {number} is paused. Resume it only if none of its letters left after that hour.")
    for number in done.standstill.unscheduled:
        typer.echo(f"- Campaign {number} is a draft and has no hour. Schedule it anew if it was not sent since.")
    if done.orders:
        typer.echo(f"- {done.orders} people whom what was replaced knew not to mail are not mailed here either.")
    for file in done.aside:
        say(f"What was there before is in {file}.")
    for name in done.manifest.missing:
        say(f"mailer: the mail {name} is not in the backup: it was lost from the spool before")
