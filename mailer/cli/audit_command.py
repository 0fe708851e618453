"""`mailer audit`: who did what, and when."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.cli_context import AsJson, print_json, run_action

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.domain.accounts.actor import Actor
    from mailer.domain.accounts.audit import AuditLine


def audit(
    list_name: Annotated[str | None, typer.Option("--list", help="Only what concerns this list.")] = None,
    lines: Annotated[int, typer.Option(min=1, help="The most lines that are shown.")] = 100,
    as_json: AsJson = False,
) -> None:
    """What organisers and commands did: when, who, what, and what was before and after; the newest first."""
    from mailer.actions.accounts.show_audit_log import all_audit_lines

    async def newest(app: App, actor: Actor) -> list[AuditLine]:
        found: list[AuditLine] = []
        async for line in all_audit_lines(app, actor, list_name=list_name):
            found.append(line)
            if len(found) == lines:
                break
        return found

    found = run_action(newest)
    if as_json:
        print_json([asdict(line) for line in found])
        return
    for line in found:
        changed = f"{_format(line.before)} -> {_format(line.after)}" if line.before else _format(line.after)
        typer.echo(f"{line.at:%Y-%m-%d %H:%M:%S} UTC\t{line.actor}\t{line.act}\t{line.subject}\t{changed}")


def _format(values: dict[str, Any] | None) -> str:
    pairs = (
        f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for key, value in (values or {}).items()
    )
    return ", ".join(pairs).replace("\n", " ").replace("\t", " ") or "-"
