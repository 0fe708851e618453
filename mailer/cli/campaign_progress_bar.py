"""Following a campaign on the terminal: its status once, or a live bar until it is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mailer.actions.campaigns.report import Echo, Status, echo, status
from mailer.app import App
from mailer.cli.cli_context import show_json
from mailer.domain.campaign import CampaignState

_EVERY_S, _TENTH = 0.5, 10
_OVER = (CampaignState.SENT, CampaignState.CANCELLED, CampaignState.DRAFT)


async def show_status(app: App, campaign_id: int, as_json: bool) -> None:
    """Print the status once."""
    told = await status(app, campaign_id)
    if as_json:
        show_json(_as_json(told))
    else:
        typer.echo(_in_words(told))


async def show_sum(app: App, campaign_id: int, as_json: bool) -> None:
    """Print how many letters are in each state, one line a state, their sum (the audience), and what came back."""
    told, heard = await status(app, campaign_id), await echo(app, campaign_id)
    if as_json:
        show_json(_as_json(told) | asdict(heard))
        return
    lines = [*sorted(told.counts.items()), ("audience", told.audience)]
    width = max(len(str(number)) for _, number in lines)
    for state, number in lines:
        typer.echo(f"{state:<10} {number:>{width}}")
    for word in (told.campaign.remark, *_held_in_words(told), *_echo_in_words(heard)):
        if word:
            typer.echo(word)


def _echo_in_words(heard: Echo) -> Iterator[str]:
    """What came back, one line for each sort; then who left, and which providers sent back the most."""
    for weight, reasons in heard.bounces.items():
        told = ", ".join(f"{number} {reason}" for reason, number in reasons.items())
        yield f"bounces, {weight}: {sum(reasons.values())} ({told})"
    counts = (("delays", heard.delays), ("complaints", heard.complaints), ("left the list since", heard.unsubscribes))
    yield from (f"{name}: {number}" for name, number in counts if number)
    for domain, sorts in heard.providers.items():
        yield f"from {domain}: " + ", ".join(f"{number} {sort}" for sort, number in sorts.items())


async def follow(app: App, campaign_id: int, as_json: bool) -> None:
    """A live bar on stderr with counts, rate and time left; the last status on stdout when it is over."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, rate="")
        told, took_s = await _timed_status(app, campaign_id)
        before, since = told, time.monotonic()
        while told.campaign.state not in _OVER:
            went = max(time.monotonic() - since, _EVERY_S)
            rate = f"{(told.settled - before.settled) / went:.0f}/s {_counted(told)}"
            before, since = told, time.monotonic()
            bar.update(
                task, total=told.audience or None, completed=told.settled, description=told.campaign.state, rate=rate
            )
            await asyncio.sleep(rest_s(took_s))
            told, took_s = await _timed_status(app, campaign_id)
        total = told.audience or 1
        bar.update(task, total=total, completed=told.settled or total, description=told.campaign.state, rate="")
    if as_json:
        show_json(_as_json(told))
    else:
        typer.echo(_in_words(told))


async def _timed_status(app: App, campaign_id: int) -> tuple[Status, float]:
    began = time.monotonic()
    return await status(app, campaign_id), time.monotonic() - began


def rest_s(took_s: float) -> float:
    """How long to wait before asking again: asking takes the ledger a tenth of the time at most."""
    return max(_EVERY_S, (_TENTH - 1) * took_s)


def _counted(told: Status) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(told.counts.items()))


def _in_words(told: Status) -> str:
    words = [f"campaign {told.campaign.id}: {told.campaign.state}, audience {told.audience}", _counted(told)]
    if told.campaign.state is CampaignState.SCHEDULED:
        words.append(f"for {told.campaign.local_time} {told.campaign.zone}")
    if told.rate is not None:
        words.append(f"{told.rate:.0f} a second" + (f", {told.eta_s:.0f} s left" if told.eta_s else ""))
    line = "; ".join(word for word in [*words, told.campaign.remark] if word)
    return "\n".join([line, *_held_in_words(told)])


def _held_in_words(told: Status) -> list[str]:
    return [f"{one.lane} is held until {one.until:%Y-%m-%d %H:%M:%S} UTC: {one.reason}" for one in told.held]


def _as_json(told: Status) -> dict[str, Any]:
    return {
        "id": told.campaign.id,
        "state": told.campaign.state,
        "audience": told.audience,
        "counts": told.counts,
        "rate": told.rate and round(told.rate, 1),
        "eta_s": told.eta_s and round(told.eta_s, 1),
        "scheduled_at": told.campaign.scheduled_at,
        "remark": told.campaign.remark,
        "held": [asdict(one) for one in told.held],
    }
