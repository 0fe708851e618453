"""Shows a campaign on the terminal: its status, its totals, or a live bar until it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mailer.actions.campaigns.report import CampaignStatus, FeedbackSummary, campaign_status, feedback_summary
from mailer.app import App
from mailer.cli.cli_context import print_json
from mailer.domain.accounts.actor import Actor
from mailer.domain.campaign import CampaignState

_POLL_EVERY_S, _LOAD_DIVISOR = 0.5, 10
_FINISHED_STATES = (CampaignState.SENT, CampaignState.CANCELLED, CampaignState.DRAFT)


async def print_status(app: App, actor: Actor, campaign_id: int, as_json: bool) -> None:
    """Print the status once."""
    progress = await campaign_status(app, actor, campaign_id)
    if as_json:
        print_json(_status_as_json(progress))
    else:
        typer.echo(_format_status(progress))


async def print_totals(app: App, actor: Actor, campaign_id: int, as_json: bool) -> None:
    """Print the number of letters in each state, the audience, which is their sum, and bounces and complaints."""
    progress, feedback = await campaign_status(app, actor, campaign_id), await feedback_summary(app, actor, campaign_id)
    if as_json:
        print_json(_status_as_json(progress) | asdict(feedback))
        return
    lines = [*sorted(progress.counts.items()), ("audience", progress.audience)]
    width = max(len(str(number)) for _, number in lines)
    for state, number in lines:
        typer.echo(f"{state:<10} {number:>{width}}")
    for word in (progress.campaign.remark, *_format_held_lanes(progress), *_format_feedback(feedback)):
        if word:
            typer.echo(word)


def _format_feedback(feedback: FeedbackSummary) -> Iterator[str]:
    """Yield lines: bounces by severity, delays, complaints, who left, and the domains that returned most."""
    for weight, reasons in feedback.bounces.items():
        reason_counts = ", ".join(f"{number} {reason}" for reason, number in reasons.items())
        yield f"bounces, {weight}: {sum(reasons.values())} ({reason_counts})"
    counts = (
        ("delays", feedback.delays),
        ("complaints", feedback.complaints),
        ("left the list since", feedback.unsubscribes),
    )
    yield from (f"{name}: {number}" for name, number in counts if number)
    for domain, sorts in feedback.providers.items():
        yield f"from {domain}: " + ", ".join(f"{number} {sort}" for sort, number in sorts.items())


async def watch_status(app: App, actor: Actor, campaign_id: int, as_json: bool) -> None:
    """Draw a live bar with counts, rate and time left on stderr; print the last status on stdout when it ends."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, rate="")
        progress, took_s = await _timed_status(app, actor, campaign_id)
        before, since = progress, time.monotonic()
        while progress.campaign.state not in _FINISHED_STATES:
            elapsed_s = max(time.monotonic() - since, _POLL_EVERY_S)
            rate = f"{(progress.settled - before.settled) / elapsed_s:.0f}/s {_format_counts(progress)}"
            before, since = progress, time.monotonic()
            bar.update(
                task,
                total=progress.audience or None,
                completed=progress.settled,
                description=progress.campaign.state,
                rate=rate,
            )
            await asyncio.sleep(poll_interval_s(took_s))
            progress, took_s = await _timed_status(app, actor, campaign_id)
        total = progress.audience or 1
        bar.update(task, total=total, completed=progress.settled or total, description=progress.campaign.state, rate="")
    if as_json:
        print_json(_status_as_json(progress))
    else:
        typer.echo(_format_status(progress))


async def _timed_status(app: App, actor: Actor, campaign_id: int) -> tuple[CampaignStatus, float]:
    began = time.monotonic()
    return await campaign_status(app, actor, campaign_id), time.monotonic() - began


def poll_interval_s(took_s: float) -> float:
    """Seconds until the next query, so that queries load the database at most a tenth of the time."""
    return max(_POLL_EVERY_S, (_LOAD_DIVISOR - 1) * took_s)


def _format_counts(progress: CampaignStatus) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(progress.counts.items()))


def _format_status(progress: CampaignStatus) -> str:
    words = [
        f"campaign {progress.campaign.id}: {progress.campaign.state}, audience {progress.audience}",
        _format_counts(progress),
    ]
    if progress.campaign.state is CampaignState.SCHEDULED:
        words.append(f"for {progress.campaign.local_time} {progress.campaign.zone}")
    if progress.rate is not None:
        words.append(f"{progress.rate:.0f} a second" + (f", {progress.eta_s:.0f} s left" if progress.eta_s else ""))
    line = "; ".join(word for word in [*words, progress.campaign.remark] if word)
    return "\n".join([line, *_format_held_lanes(progress)])


def _format_held_lanes(progress: CampaignStatus) -> list[str]:
    return [f"{one.lane} is held until {one.until:%Y-%m-%d %H:%M:%S} UTC: {one.reason}" for one in progress.held]


def _status_as_json(progress: CampaignStatus) -> dict[str, Any]:
    return {
        "id": progress.campaign.id,
        "state": progress.campaign.state,
        "audience": progress.audience,
        "counts": progress.counts,
        "rate": progress.rate and round(progress.rate, 1),
        "eta_s": progress.eta_s and round(progress.eta_s, 1),
        "scheduled_at": progress.campaign.scheduled_at,
        "remark": progress.campaign.remark,
        "held": [asdict(one) for one in progress.held],
    }
