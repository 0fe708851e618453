"""`mailer organiser ...`: who may sign in to the console, and what they may do there."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, run_action
from mailer.domain.accounts.role import Role

if TYPE_CHECKING:
    from mailer.domain.accounts.organiser import Organiser
    from mailer.domain.organiser_view import OrganiserView

organisers = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Let people sign in to the console, and give them roles."
)

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="Where letters to sign in go.")]
OnList = Annotated[
    str | None, typer.Option("--list", metavar="LIST", help="The list that the role is for; without it the whole site.")
]
Translates = Annotated[
    str | None, typer.Option("--language", metavar="TAG", help="Of a translator: the language of the texts.")
]


@organisers.command("add")
def add(
    address: Address,
    role: Annotated[Role, typer.Option(help="Each but translator includes those after it.")],
    list_name: OnList = None,
    language: Translates = None,
    name: Annotated[str | None, typer.Option(help="Of a new organiser.")] = None,
    speaks: Annotated[
        str, typer.Option(metavar="TAG", help="The language of a new organiser's console and letters.")
    ] = "en",
    zone: Annotated[
        str | None, typer.Option(help="A new organiser's time zone, such as Europe/Berlin; else the list's, or UTC.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give a role; it replaces another one there, but a translator's languages add up."""
    from mailer.actions.accounts.organisers import describe_grant, give_role

    given = run_action(
        lambda app, actor: give_role(
            app,
            actor,
            address,
            role,
            list_name=list_name,
            language=language,
            name=name,
            speaks=speaks,
            zone=zone,
        )
    )
    if as_json:
        print_json(_as_json(given))
        return
    roles = ", ".join(describe_grant(one) for one in given.grants)
    print_message(f"{given.address} is an organiser now ({roles}); `mailer organiser login {given.address}` lets in.")


@organisers.command("ls")
def ls(list_name: OnList = None, as_json: AsJson = False) -> None:
    """All organisers and their roles, or those who have one on a list."""
    from mailer.actions.accounts.show_organisers import show_organisers

    views = run_action(lambda app, actor: show_organisers(app, actor, list_name))
    if as_json:
        print_json([_as_json(view.organiser) | {"roles": [asdict(role) for role in view.roles]} for view in views])
        return
    for view in views:
        organiser = view.organiser
        columns = (organiser.address, organiser.name or "", organiser.language, organiser.zone, _roles(view))
        typer.echo("\t".join(columns))


@organisers.command("remove")
def remove(
    address: Address,
    role: Annotated[Role | None, typer.Option(help="Take only this role.")] = None,
    list_name: OnList = None,
    language: Translates = None,
) -> None:
    """Take one role away, or without --role all: then the organiser is signed out everywhere."""
    from mailer.actions.accounts.organisers import remove_organiser, take_role

    if role is None:
        if list_name is not None or language is not None:
            print_message("mailer: --list and --language name a role; say --role, too")
            raise typer.Exit(2)
        run_action(lambda app, actor: remove_organiser(app, actor, address))
        print_message(f"{address} is no organiser any more.")
        return
    left = run_action(lambda app, actor: take_role(app, actor, address, role, list_name=list_name, language=language))
    print_message(
        f"{address} is no organiser any more: that was the last role."
        if left is None
        else f"{address} has lost the role."
    )


@organisers.command("login")
def login(address: Address) -> None:
    """Print a link that lets this organiser in once, within an hour; also while no mail goes out."""
    from mailer.actions.accounts.sign_in import make_sign_in_link

    typer.echo(run_action(lambda app, actor: make_sign_in_link(app, actor, address)))


def _roles(view: OrganiserView) -> str:
    return ", ".join(
        f"{role.role}{f' ({role.language})' if role.language else ''} of {role.list_name or 'the site'}"
        for role in view.roles
    )


def _as_json(organiser: Organiser) -> dict[str, Any]:
    fields = asdict(organiser)
    del fields["grants"]
    return fields
