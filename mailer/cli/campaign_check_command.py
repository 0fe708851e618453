"""`mailer campaign check`: everything that speaks against sending a campaign, the gravest first."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, run_action

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.domain.accounts.actor import Actor
    from mailer.domain.letters.preflight import PreflightReport, PreflightResult

campaign_check = typer.Typer(rich_markup_mode=None)

_INDENT = 10


@campaign_check.command("check")
def check_(
    campaign_id: int,
    links: Annotated[bool, typer.Option("--links", help="Also ask the servers that its links lead to.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only what takes no time: a few readers, and no other server.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check its texts, every reader's letter, and what receivers will look at; exits with 1 if something blocks it.

    Nothing is sent. The launch makes the same checks, but for links and relays.
    """
    from mailer.actions.campaigns.preflight.check_campaign import CheckScope, check_campaign

    if links and quick:
        print_message("mailer: --links and --quick: say one of them")
        raise typer.Exit(2)
    scope = CheckScope(everything=not quick, links=links)

    async def check(app: App, actor: Actor) -> PreflightReport:
        return await check_campaign(app, actor, campaign_id, scope, _show_progress)

    report = run_action(check)
    if as_json:
        print_json(_as_json(report))
    else:
        _print_report(report)
    if report.blocks:
        raise typer.Exit(1)


def _show_progress(readers: int) -> None:
    """Say on a terminal how many letters have been written."""
    if sys.stderr.isatty():
        typer.echo(f"\r{readers:,} letters written", err=True, nl=False)


def _as_json(report: PreflightReport) -> dict[str, Any]:
    return {
        "id": report.campaign_id,
        "checked_at": report.checked_at,
        "blocks": report.blocks,
        "readers": report.readers,
        "results": [asdict(one) for one in report.results],
        "left_out": report.left_out,
    }


def _print_report(report: PreflightReport) -> None:
    """Print one line for each result, and one for what helps."""
    if sys.stderr.isatty():
        typer.echo("\r\033[K", err=True, nl=False)
    for one in report.results:
        typer.echo(f"{one.severity.value:<{_INDENT}}{_describe(one)}")
        if one.cure:
            typer.echo(f"{'':<{_INDENT}}{one.cure}")
    for left in report.left_out:
        typer.echo(f"{'-':<{_INDENT}}not checked: {left}")
    blockers = sum(one.blocks for one in report.results)
    verdict = f"{blockers} of these {'blocks' if blockers == 1 else 'block'} it." if blockers else "Nothing blocks it."
    print_message(f"Campaign {report.campaign_id}: {verdict}")


def _describe(one: PreflightResult) -> str:
    where = f"{one.edition}, line {one.line}" if one.line else one.edition
    return f"{one.rule.value}{f' ({where})' if where else ''}: {one.message}"
