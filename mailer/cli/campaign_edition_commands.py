"""`mailer campaign ...` for the languages of a campaign: editions, up-to-date, rest."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, run_action

if TYPE_CHECKING:
    from mailer.actions.campaigns.draft_view import EditionView
    from mailer.actions.campaigns.review import ReviewView
    from mailer.app import App
    from mailer.domain.accounts.actor import Actor
    from mailer.domain.letters.edition_choice import ReaderGroup

campaign_editions = typer.Typer(rich_markup_mode=None)

_WHY = {
    "own": "read it",
    "broader": "read {language}",
    "list": "read {language}, which has no edition: the list's language",
    "default": "read {language}, which has no edition: the first edition",
}


@campaign_editions.command("editions")
def editions(campaign_id: int, as_json: AsJson = False) -> None:
    """How each edition stands, how many people get it and why, and whether it is sent or waits."""
    from mailer.actions.campaigns.review import review

    view = run_action(lambda app, actor: review(app, actor, campaign_id))
    if as_json:
        print_json(_view_as_json(view))
        return
    for one in view.editions:
        approved = f"approved by {', '.join(one.approved_by)}" if one.approved_by else "not approved"
        sent = "sent" if one.is_sent else "waits"
        typer.echo("\t".join((one.language, one.status, sent, approved, f"{one.readers} readers")))
        for group in one.groups:
            typer.echo(f"\t{group.readers} {_why(group)}")
    most = "at most " if view.is_at_most else ""
    print_message(f"Campaign {campaign_id} goes to {most}{view.readers} people.")
    _say_what_is_stale(view.campaign.id, view.editions)


def _why(group: ReaderGroup) -> str:
    if not group.language:
        return "of unknown language"
    return _WHY[group.fallback].format(language=group.language)


def _say_what_is_stale(campaign_id: int, found: tuple[EditionView, ...]) -> None:
    for one in found:
        if one.status == "stale":
            print_message(
                f"{one.language} is older than {found[0].language}. Bring it up to date, then: mailer campaign"
                f" up-to-date {campaign_id} --language {one.language}"
            )


def _view_as_json(view: ReviewView) -> dict[str, Any]:
    return {
        "id": view.campaign.id,
        "readers": view.readers,
        "at_most": view.is_at_most,
        "not_mailed_by": view.campaign.not_mailed_by,
        "editions": [
            {
                "language": one.language,
                "default": one.is_default,
                "version": one.version,
                "status": one.status,
                "sent": one.is_sent,
                "approved_by": one.approved_by,
                "readers": one.readers,
                "groups": [asdict(group) for group in one.groups],
            }
            for one in view.editions
        ],
    }


@campaign_editions.command("up-to-date")
def up_to_date(
    campaign_id: int,
    language: Annotated[list[str], typer.Option(help="Of which edition; may be repeated.")],
    as_json: AsJson = False,
) -> None:
    """Say that an edition says what the first one says now: it is stale no more."""
    from mailer.actions.campaigns.editions import mark_up_to_date

    async def mark(app: App, actor: Actor) -> None:
        for tag in language:
            await mark_up_to_date(app, actor, campaign_id, tag)

    run_action(mark)
    if as_json:
        print_json({"id": campaign_id, "up_to_date": language})
    else:
        print_message(f"Up to date in campaign {campaign_id}: {', '.join(language)}.")


@campaign_editions.command("rest")
def rest_(campaign_id: int, as_json: AsJson = False) -> None:
    """Keep a draft for the readers of the editions that were not sent; nobody gets both. Prints its id."""
    from mailer.actions.campaigns.rest import rest

    number = run_action(lambda app, actor: rest(app, actor, campaign_id))
    print_json({"id": number}) if as_json else typer.echo(number)
