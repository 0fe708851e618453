"""`mailer webmention ...`: pages elsewhere that say they link to a letter, and whether its page shows them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, run_action

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.domain.accounts.actor import Actor
    from mailer.domain.letters.webmention import Webmention

mentions = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Pages elsewhere that link to a letter in the archive."
)

Number = Annotated[int, typer.Argument(help="As `webmention ls` says it.")]


@mentions.command("ls")
def ls(
    only_waiting: Annotated[bool, typer.Option("--waiting", help="Those alone that nobody has decided on.")] = False,
    as_json: AsJson = False,
) -> None:
    """What was said to link to letters, and does; the newest first."""
    from mailer.actions.archive.moderate_webmentions import SEEN, list_webmentions
    from mailer.domain.letters.webmention import WebmentionState

    states = (WebmentionState.WAITING,) if only_waiting else SEEN

    async def load(app: App, actor: Actor) -> list[Webmention]:
        page = await list_webmentions(app, actor, states)
        found = list(page.items)
        while page.next_cursor:
            page = await list_webmentions(app, actor, states, page.next_cursor)
            found += page.items
        return found

    found = run_action(load)
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    for one in found:
        typer.echo(f"{one.id}\t{one.state}\tcampaign {one.campaign_id}\t{one.title}\t{one.source}")


@mentions.command("accept")
def accept(mention: Number, as_json: AsJson = False) -> None:
    """Show it on the letter's page, by its title and with a link to it."""
    from mailer.actions.archive.moderate_webmentions import accept_webmention

    _print_decided(run_action(lambda app, actor: accept_webmention(app, actor, mention)), as_json)


@mentions.command("reject")
def reject(mention: Number, as_json: AsJson = False) -> None:
    """Do not show it, or not any more."""
    from mailer.actions.archive.moderate_webmentions import reject_webmention

    _print_decided(run_action(lambda app, actor: reject_webmention(app, actor, mention)), as_json)


def _print_decided(one: Webmention, as_json: bool) -> None:
    print_json(_as_json(one)) if as_json else print_message(f"Webmention {one.id} is {one.state}.")


def _as_json(one: Webmention) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if name not in ("tries", "mailing_list_id")}
