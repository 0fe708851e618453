"""`mailer campaign ...`, for those under way: holding, correcting, going on, calling off, trying again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import Anyway, AsJson, act, read_text, say, show_json
from mailer.domain.delivery import Decision

if TYPE_CHECKING:
    from mailer.actions.campaigns.retry_settle import Reconsidered
    from mailer.domain.campaign import Campaign

steering = typer.Typer(rich_markup_mode=None)


def _moved(campaign: Campaign, as_json: bool) -> None:
    if as_json:
        show_json(asdict(campaign))
    else:
        say(f"Campaign {campaign.id} is {campaign.state}.")


def _reconsidered(done: Reconsidered, became: str, as_json: bool) -> None:
    if as_json:
        show_json({"id": done.campaign.id, "state": done.campaign.state, "letters": done.letters})
    else:
        say(f"Campaign {done.campaign.id} is {done.campaign.state}. Letters that {became}: {done.letters}.")


@steering.command("pause")
def pause_(campaign_id: int, as_json: AsJson = False) -> None:
    """Hand nothing more of it; letters on their way arrive."""
    from mailer.actions.campaigns.pause_resume_cancel import pause

    _moved(act(lambda app: pause(app, campaign_id)), as_json)


@steering.command("correct")
def correct_(
    campaign_id: int,
    files: Annotated[list[Path], typer.Argument(help="The new texts: one file for each language that changes.")],
    as_json: AsJson = False,
) -> None:
    """Give a draft, scheduled or paused campaign new texts: for everybody who was not handed theirs yet."""
    from mailer.actions.campaigns.correct import correct

    texts = {str(file): read_text(file) for file in files}
    done = act(lambda app: correct(app, campaign_id, texts))
    if as_json:
        show_json(asdict(done.campaign) | {"languages": done.languages})
    else:
        say(f"Campaign {campaign_id} has new texts ({', '.join(done.languages)}); it is {done.campaign.state}.")


@steering.command("resume")
def resume_(campaign_id: int, anyway: Anyway = False, as_json: AsJson = False) -> None:
    """Go on with a paused campaign; nobody is left out, nobody gets it twice."""
    from mailer.actions.campaigns.pause_resume_cancel import resume

    _moved(act(lambda app: resume(app, campaign_id, anyway=anyway)), as_json)


@steering.command("cancel")
def cancel_(campaign_id: int, as_json: AsJson = False) -> None:
    """Call it off: none of its letters that still wait is ever sent."""
    from mailer.actions.campaigns.pause_resume_cancel import cancel

    _moved(act(lambda app: cancel(app, campaign_id)), as_json)


@steering.command("retry")
def retry_(campaign_id: int, as_json: AsJson = False) -> None:
    """Send the failed letters again, as if they were new; says how many."""
    from mailer.actions.campaigns.retry_settle import retry

    _reconsidered(act(lambda app: retry(app, campaign_id)), "wait again", as_json)


@steering.command("settle")
def settle_(
    campaign_id: int,
    decision: Annotated[Decision, typer.Option("--as", help="What they count as; resend: sent anew.")],
    as_json: AsJson = False,
) -> None:
    """Decide on the uncertain letters: handed to the relay, and nobody knows whether they went out."""
    from mailer.actions.campaigns.retry_settle import settle

    became = "wait again" if decision is Decision.RESEND else f"count as {decision}"
    _reconsidered(act(lambda app: settle(app, campaign_id, decision)), became, as_json)
