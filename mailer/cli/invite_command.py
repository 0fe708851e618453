"""`mailer subscribers invite`: ask those by letter whom an import has as pending."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.cli.cli_context import print_message, run_action


def invite_pending_people(
    list_name: Annotated[str, typer.Option("--list", help="The list's name.")],
    at_most: Annotated[int | None, typer.Option("--at-most", min=1, help="Ask so many now, the others later.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask them; without it you see how many they are.")] = False,
) -> None:
    """Ask everybody by letter who came as pending from other software, and whom nobody has asked here yet.

    Each gets one letter, whose answer or link puts them on the list. Whoever does not answer is not asked again.
    """
    from mailer.actions.imports.invite_pending import invite_pending

    number = run_action(lambda app, actor: invite_pending(app, actor, list_name, at_most=at_most, dry_run=not yes))
    if yes:
        print_message(f"Asked by letter: {number}")
    else:
        print_message(f"Waiting, and never asked: {number}. Nobody was asked now: again with --yes")
