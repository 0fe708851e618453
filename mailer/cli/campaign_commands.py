"""`mailer campaign ...`: write, schedule, control and follow campaigns."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.archive_command import campaign_archive
from mailer.cli.campaign_check_command import campaign_check
from mailer.cli.campaign_control_commands import campaign_control
from mailer.cli.campaign_edition_commands import campaign_editions
from mailer.cli.campaign_writing_commands import campaign_writing
from mailer.cli.cli_context import Anyway, AsJson, print_json, print_message, read_beside, read_text, run_action
from mailer.cli.preview_command import campaign_preview
from mailer.domain.campaign import WhenUncertain

if TYPE_CHECKING:
    from mailer.actions.campaigns.edition_audience import AudienceChoice
    from mailer.app import App
    from mailer.domain.accounts.actor import Actor
    from mailer.domain.campaign import Campaign

campaigns = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Write, schedule and follow campaigns.")

campaigns.add_typer(campaign_writing)
campaigns.add_typer(campaign_editions)
campaigns.add_typer(campaign_check)
campaigns.add_typer(campaign_control)
campaigns.add_typer(campaign_archive)
campaigns.add_typer(campaign_preview)

_TIME_TO_CANCEL_S = 30

Over = Annotated[str | None, typer.Option(help="Spread the letters over so long: 6h, 90m, 2h30m; at most 7d.")]
Languages = Annotated[
    list[str] | None,
    typer.Option("--language", help="Only to the readers of this edition; may be repeated. The others wait."),
]
AllEditions = Annotated[bool, typer.Option("--all-editions", help="To the readers of all editions again.")]
NotMailedBy = Annotated[
    int | None,
    typer.Option(
        "--not-already-mailed-by", metavar="ID", help="To nobody whom this campaign mailed, or may have; 0: to all."
    ),
]


@campaigns.command("new")
def new(
    files: Annotated[list[Path], typer.Argument(help="Markdown with front matter, one file per language.")],
    list_name: Annotated[str, typer.Option("--list", help="The list it goes to.")],
    if_uncertain: Annotated[
        WhenUncertain,
        typer.Option(
            help="When a crash leaves it unknown whether somebody's letter went out: resend it, the same to the octet"
            " and twice at most, or park it for `settle`: rather none than two."
        ),
    ] = WhenUncertain.RESEND,
    as_json: AsJson = False,
) -> None:
    """Keep a draft; prints its id. The first file is for readers whose language has none.

    Pictures and attachments that a text names beside its file are taken in.
    """
    from mailer.actions.campaigns.local_files import take_local_files
    from mailer.actions.campaigns.new_campaign import new_campaign

    texts = {str(file): read_text(file) for file in files}

    async def add(app: App, actor: Actor) -> int:
        taken = await take_local_files(app, actor, texts, read_beside, list_name=list_name)
        return await new_campaign(app, actor, list_name=list_name, texts=taken, when_uncertain=if_uncertain)

    number = run_action(add)
    print_json({"id": number}) if as_json else typer.echo(number)


@campaigns.command("schedule")
def schedule_(
    campaign_id: int,
    at: Annotated[str, typer.Option(help="Local time, ISO 8601: 2026-12-01T09:00.")],
    zone: Annotated[str, typer.Option(help="Whose clock: Europe/Berlin.")],
    over: Over = None,
    language: Languages = None,
    all_editions: AllEditions = False,
    not_mailed_by: NotMailedBy = None,
    anyway: Anyway = None,
    as_json: AsJson = False,
) -> None:
    """Set the hour; again to move it. To whom it goes stays as it was chosen, unless it is said anew."""
    from mailer.actions.campaigns.schedule import schedule

    chosen = _audience_choice(language, all_editions, not_mailed_by)
    _print_scheduled(
        run_action(
            lambda app, actor: schedule(
                app, actor, campaign_id, local_time=at, zone=zone, over=over, anyway=anyway, audience=chosen
            )
        ),
        as_json,
    )


def _audience_choice(language: list[str] | None, all_editions: bool, not_mailed_by: int | None) -> AudienceChoice:
    from mailer.actions.campaigns.edition_audience import AudienceChoice

    if language and all_editions:
        print_message("mailer: --language and --all-editions: say one of them")
        raise typer.Exit(2)
    return AudienceChoice(languages=() if all_editions else language, not_mailed_by=not_mailed_by)


@campaigns.command("send")
def send(
    campaign_id: int,
    now: Annotated[bool, typer.Option("--now", help="Do not wait those 30 seconds.")] = False,
    over: Over = None,
    language: Languages = None,
    all_editions: AllEditions = False,
    not_mailed_by: NotMailedBy = None,
    anyway: Anyway = None,
    as_json: AsJson = False,
) -> None:
    """Send in 30 seconds, so that there is time to cancel; says to how many."""
    from mailer.actions.campaigns.report import audience_size
    from mailer.actions.campaigns.schedule import send_now
    from mailer.actions.maintenance.own_database import service_running

    chosen = _audience_choice(language, all_editions, not_mailed_by)

    async def send_campaign(app: App, actor: Actor) -> tuple[Campaign, int, bool]:
        wait_s = 0 if now else _TIME_TO_CANCEL_S
        campaign = await send_now(app, actor, campaign_id, wait_s=wait_s, over=over, anyway=anyway, audience=chosen)
        return campaign, await audience_size(app, actor, campaign_id), service_running(app)

    campaign, people, running = run_action(send_campaign)
    if as_json:
        print_json(asdict(campaign) | {"reach": people, "service_running": running})
        return
    when = "now" if now else f"in {_TIME_TO_CANCEL_S} seconds (mailer campaign cancel {campaign_id} stops it)"
    print_message(f"Campaign {campaign_id} goes to {people} people, {when}{_format_spread(campaign)}.")
    if not running:
        print_message("No service is running: it will be sent when `mailer serve` starts, if that is within two hours.")


def _print_scheduled(campaign: Campaign, as_json: bool) -> None:
    if as_json:
        print_json(asdict(campaign))
    else:
        print_message(
            f"Campaign {campaign.id} is scheduled for {campaign.local_time} {campaign.zone}{_format_spread(campaign)}."
        )


def _format_spread(campaign: Campaign) -> str:
    return f", spread over {timedelta(seconds=campaign.over_s)}" if campaign.over_s else ""


@campaigns.command("ls")
def ls(as_json: AsJson = False) -> None:
    """All campaigns, newest first."""
    from mailer.actions.campaigns.report import all_campaigns

    campaigns_found = run_action(all_campaigns)
    if as_json:
        print_json([asdict(one) for one in campaigns_found])
        return
    for one in campaigns_found:
        typer.echo(f"{one.id}\t{one.state}\t{one.local_time or '-'} {one.zone or ''}\t{one.subject}")


@campaigns.command("status")
def status_(
    campaign_id: int,
    watch: Annotated[bool, typer.Option("--watch", help="A live bar, until it is over.")] = False,
    as_json: AsJson = False,
) -> None:
    """How far it has come: state, counts, rate, time left, and what holds it up."""
    from mailer.cli.campaign_progress_bar import print_status, watch_status

    run_action(lambda app, actor: (watch_status if watch else print_status)(app, actor, campaign_id, as_json))


@campaigns.command("show")
def show(campaign_id: int, as_json: AsJson = False) -> None:
    """The campaign's texts, as they were written."""
    from mailer.actions.campaigns.show_source import show_source

    texts = run_action(lambda app, actor: show_source(app, actor, campaign_id))
    if as_json:
        print_json({"id": campaign_id, "editions": [{"language": key, "text": text} for key, text in texts.items()]})
        return
    for language, text in texts.items():
        typer.echo(f"===== {language}\n{text}")


@campaigns.command("report")
def report_(
    campaign_id: int,
    as_csv: Annotated[bool, typer.Option("--csv", help="One line per person.")] = False,
    as_json: AsJson = False,
) -> None:
    """What became of the letters: how many are in each state, and what came back; or one line per person."""
    from mailer.actions.campaigns.report import report
    from mailer.cli.campaign_progress_bar import print_totals
    from mailer.importers.person_row import escape_formula

    async def lines(app: App, actor: Actor) -> None:
        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow(["address", "state", "attempts", "code", "reply"])
        async for row in report(app, actor, campaign_id):
            out.writerow(
                [escape_formula(row.address), row.state, row.attempts, row.code or "", escape_formula(row.reply or "")]
            )

    run_action(lines if as_csv else lambda app, actor: print_totals(app, actor, campaign_id, as_json))
