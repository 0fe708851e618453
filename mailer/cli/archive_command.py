"""`mailer campaign archive`: whether a campaign's letter is in its list's archive."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, run_action

campaign_archive = typer.Typer(rich_markup_mode=None)

_SENTENCES = {
    "public": "everybody may read its letter",
    "subscribers": "subscribers may read its letter, by the link in it",
    "off": "nobody may read its letter on the web",
}


@campaign_archive.command("archive")
def archive_(
    campaign_id: int,
    on: Annotated[bool, typer.Option("--on", help="It is in the list's archive.")] = False,
    off: Annotated[bool, typer.Option("--off", help="It is not, whatever the list has.")] = False,
    as_list: Annotated[bool, typer.Option("--list", help="It is as the list has it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put the letter of a campaign into its list's archive, or take it out, at once."""
    from mailer.actions.archive.archive_choice import set_archived

    if on + off + as_list != 1:
        raise typer.BadParameter("say one of --on, --off and --list")
    chosen = True if on else False if off else None
    place = run_action(lambda app, actor: set_archived(app, actor, campaign_id, chosen))
    if as_json:
        print_json({"id": campaign_id, "archived": place.campaign.archived, "archive": place.mode, "url": place.url})
    else:
        where = f": {place.url}" if place.url else ""
        print_message(f"Campaign {campaign_id}: {_SENTENCES[place.mode]}{where}.")
