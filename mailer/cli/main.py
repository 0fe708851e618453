"""The `mailer` command and its subcommands."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer import __version__
from mailer.cli import backup_commands, service_commands
from mailer.cli.audit_command import audit
from mailer.cli.campaign_commands import campaigns
from mailer.cli.delivery_commands import deliveries
from mailer.cli.dkim_commands import keys
from mailer.cli.doctor_command import doctor
from mailer.cli.explain_command import explain_files
from mailer.cli.export_all_command import export_all
from mailer.cli.export_person_command import export_person
from mailer.cli.former_archive_commands import archives
from mailer.cli.import_from_command import import_from
from mailer.cli.import_run_commands import imports
from mailer.cli.init_command import init
from mailer.cli.invite_command import invite_pending_people
from mailer.cli.list_commands import lists
from mailer.cli.media_commands import media
from mailer.cli.organiser_commands import organisers
from mailer.cli.people_commands import people
from mailer.cli.restore_command import restore_subscribers
from mailer.cli.template_commands import templates
from mailer.cli.webmention_commands import mentions

command = typer.Typer(
    name="mailer",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    help="Mailing lists and newsletters: join by email, blasts on a clock, leave by link.",
)
for own in (
    init,
    service_commands.serve,
    service_commands.worker,
    service_commands.migrate,
    backup_commands.backup,
    backup_commands.restore,
    service_commands.demo,
):
    command.command()(own)
command.command()(doctor)
command.command()(audit)
command.command("export-all")(export_all)
command.command("explain")(explain_files)
command.command("import-from")(import_from)
command.add_typer(lists, name="list")
people.command("export-person")(export_person)
people.command("restore")(restore_subscribers)
people.command("invite")(invite_pending_people)
command.add_typer(people, name="subscribers")
command.add_typer(imports, name="import")
command.add_typer(campaigns, name="campaign")
command.add_typer(deliveries, name="delivery")
command.add_typer(mentions, name="webmention")
command.add_typer(media, name="media")
command.add_typer(archives, name="archive")
command.add_typer(templates, name="template")
command.add_typer(organisers, name="organiser")
command.add_typer(keys, name="dkim")


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"mailer {__version__}")
        raise typer.Exit


@command.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Settings are read from settings.toml here, or from the file that MAILER_SETTINGS names."""
