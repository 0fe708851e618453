"""`mailer campaign ...` before a campaign is sent: test, approve, again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, run_action

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.domain.accounts.actor import Actor

campaign_writing = typer.Typer(rich_markup_mode=None)


@campaign_writing.command("test")
def send_tests(
    campaign_id: int,
    to: Annotated[
        list[str] | None, typer.Option(help="An address; may be repeated. The list's testers if not given.")
    ] = None,
    language: Annotated[list[str] | None, typer.Option(help="Of these editions only; may be repeated.")] = None,
    as_reader: Annotated[
        str | None, typer.Option(help="With the name and values of this reader of the list, in the edition they get.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send its letters, marked [Test], to testers: one of each edition. Nobody's subscription changes by them."""
    from mailer.actions.campaigns.review import review
    from mailer.actions.campaigns.send_test import send_test

    async def send(app: App, actor: Actor) -> int:
        addresses = to or (await review(app, actor, campaign_id)).mailing_list.testers
        return await send_test(app, actor, campaign_id, addresses, languages=language or (), as_reader=as_reader)

    number = run_action(send)
    print_json({"id": campaign_id, "letters": number}) if as_json else print_message(
        f"{number} test {'letter is' if number == 1 else 'letters are'} queued."
    )


@campaign_writing.command("approve")
def approve_(
    campaign_id: int,
    language: Annotated[
        list[str] | None, typer.Option(help="Of this edition alone, by others than who wrote it; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Agree that its texts, as they are now, may be sent; lists can ask for this (--needs-approval)."""
    from mailer.actions.campaigns.approve import approve

    async def agree(app: App, actor: Actor) -> None:
        for tag in language or (None,):
            await approve(app, actor, campaign_id, language=tag)

    run_action(agree)
    if as_json:
        print_json({"id": campaign_id, "approved": True, "languages": language})
    else:
        which = f" in {', '.join(language)}" if language else ""
        print_message(f"The texts of campaign {campaign_id}{which} are approved, until one of them is changed.")


@campaign_writing.command("again")
def again_(campaign_id: int, as_json: AsJson = False) -> None:
    """Keep a new draft with the same texts for the same list; prints its id."""
    from mailer.actions.campaigns.again import again

    number = run_action(lambda app, actor: again(app, actor, campaign_id))
    print_json({"id": number}) if as_json else typer.echo(number)
