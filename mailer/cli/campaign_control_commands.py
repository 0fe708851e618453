"""`mailer campaign ...` for campaigns under way: pause, correct, resume, cancel, retry, settle."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import Anyway, AsJson, print_json, print_message, read_beside, read_text, run_action
from mailer.domain.delivery import Decision

if TYPE_CHECKING:
    from mailer.actions.campaigns.correct import CorrectionResult
    from mailer.actions.campaigns.retry_settle import CampaignChange
    from mailer.app import App
    from mailer.domain.accounts.actor import Actor
    from mailer.domain.campaign import Campaign

campaign_control = typer.Typer(rich_markup_mode=None)


def _print_state(campaign: Campaign, as_json: bool) -> None:
    if as_json:
        print_json(asdict(campaign))
    else:
        print_message(f"Campaign {campaign.id} is {campaign.state}.")


def _print_changed_letters(changed: CampaignChange, became: str, as_json: bool) -> None:
    if as_json:
        print_json({"id": changed.campaign.id, "state": changed.campaign.state, "letters": changed.letters})
    else:
        print_message(
            f"Campaign {changed.campaign.id} is {changed.campaign.state}. Letters that {became}: {changed.letters}."
        )


@campaign_control.command("pause")
def pause_(campaign_id: int, as_json: AsJson = False) -> None:
    """Hand nothing more of it; letters on their way arrive."""
    from mailer.actions.campaigns.pause_resume_cancel import pause

    _print_state(run_action(lambda app, actor: pause(app, actor, campaign_id)), as_json)


@campaign_control.command("correct")
def correct_(
    campaign_id: int,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="The new texts: one file for each language that changes. None: what the drafts say now."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give a draft, scheduled or paused campaign new texts: for everybody who was not handed theirs yet."""
    from mailer.actions.campaigns.correct import correct, correct_from_drafts
    from mailer.actions.campaigns.local_files import take_local_files

    texts = {str(file): read_text(file) for file in files or ()}

    async def change(app: App, actor: Actor) -> CorrectionResult:
        if not texts:
            return await correct_from_drafts(app, actor, campaign_id)
        taken = await take_local_files(app, actor, texts, read_beside, campaign_id=campaign_id)
        return await correct(app, actor, campaign_id, taken)

    done = run_action(change)
    if as_json:
        print_json(asdict(done.campaign) | {"languages": done.languages})
    elif not done.languages:
        print_message(f"Campaign {campaign_id} has the texts of its drafts already.")
    else:
        print_message(
            f"Campaign {campaign_id} has new texts ({', '.join(done.languages)}); it is {done.campaign.state}."
        )


@campaign_control.command("resume")
def resume_(campaign_id: int, anyway: Anyway = None, as_json: AsJson = False) -> None:
    """Go on with a paused campaign; nobody is left out, nobody gets it twice."""
    from mailer.actions.campaigns.pause_resume_cancel import resume

    _print_state(run_action(lambda app, actor: resume(app, actor, campaign_id, anyway=anyway)), as_json)


@campaign_control.command("cancel")
def cancel_(campaign_id: int, as_json: AsJson = False) -> None:
    """Call it off: none of its letters that still wait is ever sent."""
    from mailer.actions.campaigns.pause_resume_cancel import cancel

    _print_state(run_action(lambda app, actor: cancel(app, actor, campaign_id)), as_json)


@campaign_control.command("retry")
def retry_(campaign_id: int, as_json: AsJson = False) -> None:
    """Send the failed letters again, as if they were new; says how many."""
    from mailer.actions.campaigns.retry_settle import retry_failed

    _print_changed_letters(run_action(lambda app, actor: retry_failed(app, actor, campaign_id)), "wait again", as_json)


@campaign_control.command("settle")
def settle_(
    campaign_id: int,
    decision: Annotated[Decision, typer.Option("--as", help="What they count as; resend: sent anew.")],
    as_json: AsJson = False,
) -> None:
    """Decide on the uncertain letters: handed to the relay, and nobody knows whether they went out."""
    from mailer.actions.campaigns.retry_settle import resolve_uncertain

    became = "wait again" if decision is Decision.RESEND else f"count as {decision}"
    _print_changed_letters(
        run_action(lambda app, actor: resolve_uncertain(app, actor, campaign_id, decision)), became, as_json
    )
