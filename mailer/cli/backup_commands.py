"""`mailer backup` and `mailer restore`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.cli_context import AsJson, command_actor, current_settings, print_json, print_message, report_errors

if TYPE_CHECKING:
    from mailer.actions.maintenance.backup import RestoreResult


def backup(
    file: Annotated[Path, typer.Argument(help="A new file; nothing is overwritten.")], as_json: AsJson = False
) -> None:
    """Write the database, the spool and the secret into one file, while the service runs.

    Keep it as you keep the secret. settings.toml, templates and DKIM keys are not in it.
    """
    from mailer.actions.maintenance.backup import back_up

    with report_errors():
        manifest = back_up(current_settings(), command_actor(), file, datetime.now(UTC))
    if as_json:
        print_json(asdict(manifest) | {"file": str(file)})
        return
    rows = sum(table.rows for table in manifest.tables.values())
    print_message(f"{file}: everything as it was at {manifest.at}; {rows} rows.")
    for name in manifest.missing:
        print_message(f"mailer: the mail {name} was lost from the spool before; it is not in the backup")


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
    from mailer.actions.maintenance import backup as backups

    with report_errors():
        restored = backups.restore(
            current_settings(), command_actor(), file, datetime.now(UTC), replace=replace, migrate=migrate
        )
    print_json(_restored_as_json(restored)) if as_json else _print_restored(restored)


def _restored_as_json(restored: RestoreResult) -> dict[str, Any]:
    values = asdict(restored)
    return values | {"orders": values.pop("suppressions")}


def _print_restored(restored: RestoreResult) -> None:
    at = restored.manifest.at
    typer.echo(f"Everything is as it was at {at}. What happened since is not known here:")
    typer.echo("- Who left, complained or bounced since then would be mailed again: take them off before you send.")
    typer.echo("- Who joined or confirmed since then is not on the lists.")
    for number in restored.standstill.paused:
        typer.echo(f"- Campaign {number} is paused. Resume it only if none of its letters left after that hour.")
    for number in restored.standstill.unscheduled:
        typer.echo(f"- Campaign {number} is a draft and has no hour. Schedule it anew if it was not sent since.")
    if restored.suppressions:
        typer.echo(
            f"- {restored.suppressions} people whom what was replaced knew not to mail are not mailed here either."
        )
    for file in restored.aside:
        print_message(f"What was there before is in {file}.")
    for name in restored.manifest.missing:
        print_message(f"mailer: the mail {name} is not in the backup: it was lost from the spool before")
