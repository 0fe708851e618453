"""Prints what an import would do, or has done: on a terminal as tables, elsewhere as plain lines, or as JSON."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from mailer.cli.cli_context import print_json
from mailer.domain.imports.import_run import Outcome
from mailer.importers.person_row import EvidenceGrade, ListRole

if TYPE_CHECKING:
    from mailer.actions.imports.import_report import ImportResult
    from mailer.actions.imports.plan_import import ImportPlan
    from mailer.importers.bad_row import BadRow
    from mailer.importers.open_export import OpenedExport

_SHOWN = 20
_MEANINGS = {
    Outcome.CONFIRMED: "come onto the list, and are mailed",
    Outcome.PENDING: "wait on the list until you ask them (mailer subscribers invite)",
    Outcome.PAUSED: "come onto the list, but are not mailed: they, or an organiser, switched letters off",
    Outcome.SUPPRESSED: "are on the list, but are not mailed: letters bounced, they complained, or were banned",
    Outcome.UNSUBSCRIBED: "left, and are kept as such",
    Outcome.SUPPRESSED_ONLY: "are no readers; that they must not be mailed is kept",
    Outcome.NOT_TAKEN_OVER: "are no readers, and nothing of them is kept",
    Outcome.CHANGED: "are known here, and something is added",
    Outcome.UNCHANGED: "are known here as they are there",
    Outcome.OVERRULED: "stay as they are here: they said so here, or are suppressed here",
}
_INVITED = "are asked by letter, unless they were within a day"
_OUR_ROLES = {ListRole.OWNER: "owner", ListRole.MODERATOR: "editor"}
_PREFERENCES = {
    "own_posts": "whether they get their own posts",
    "copies": "whether they get copies of answers to them",
    "moderated": "whether their posts are held",
    "may_post": "whether they may post",
}


def print_plan(export: OpenedExport, plan: ImportPlan, done: ImportResult | None) -> None:
    """Print what was found, and what becomes of whom: `done` is what was written, None for nothing."""
    _print_source(export, plan)
    _print_counts(plan, done)
    if done is None:
        _print_examples(plan)
    rows = "1 row" if plan.bad_rows == 1 else f"{plan.bad_rows:,} rows"
    _print_rows(f"{rows} cannot be used:", plan.bad, plan.bad_rows)
    _print_rows("Remarks:", plan.remarks, len(plan.remarks))
    _print_left_behind(plan)
    if done is None:
        typer.echo("Nothing has been written: again with --yes")
    else:
        typer.echo(f"import {done.run}; `mailer import undo {done.run} --yes` takes it back")


def _print_source(export: OpenedExport, plan: ImportPlan) -> None:
    typer.echo(f"This is {export.description}: {plan.people:,} people for {plan.mailing_list.name}.")
    for guess in plan.guessed:
        typer.echo(f"  {guess}")
    if export.passed_over:
        typer.echo(f"Passed over: {_some(export.passed_over)}")


def _print_counts(plan: ImportPlan, done: ImportResult | None) -> None:
    counts = plan.counts if done is None else done.counts
    rows = [(outcome, counts[outcome], _meaning(outcome, plan)) for outcome in Outcome if counts.get(outcome)]
    if sys.stdout.isatty():
        table = Table("what would happen" if done is None else "what happened", "people", "they")
        table.columns[1].justify = "right"
        for outcome, number, meaning in rows:
            table.add_row(outcome, f"{number:,}", meaning)
        Console().print(table)
    else:
        for outcome, number, meaning in rows:
            typer.echo(f"{outcome}\t{number}\t{meaning}")


def _meaning(outcome: Outcome, plan: ImportPlan) -> str:
    return _INVITED if outcome is Outcome.PENDING and plan.rules.invite else _MEANINGS[outcome]


def _print_examples(plan: ImportPlan) -> None:
    if not plan.examples:
        return
    if sys.stdout.isatty():
        table = Table("for example", "name", "would be")
        for one in plan.examples:
            table.add_row(one.address, one.name or "", one.outcome)
        Console(markup=False).print(table)
    else:
        for one in plan.examples:
            typer.echo(f"for example\t{one.address}\t{one.name or ''}\t{one.outcome}")


def _print_rows(title: str, rows: Sequence[BadRow], number: int) -> None:
    if not rows:
        return
    typer.echo(title)
    for row in rows[:_SHOWN]:
        typer.echo(f"  {row.where}: {row.reason}")
    if number > _SHOWN:
        typer.echo(f"  ... and {number - _SHOWN:,} more (--bad FILE or --json list them)")


def _print_left_behind(plan: ImportPlan) -> None:
    for line in _left_behind(plan):
        typer.echo(line)


def _left_behind(plan: ImportPlan) -> Iterator[str]:
    """Yield what does not come along, and what else there is to know, as lines for people."""
    if plan.left_behind:
        yield "Left behind:"
        yield from (f"  {one.place}: {one.reason}" for one in plan.left_behind[:_SHOWN])
        if len(plan.left_behind) > _SHOWN:
            yield f"  ... and {len(plan.left_behind) - _SHOWN:,} more (--json lists them)"
    roles = [one for one in plan.roles if one.role in _OUR_ROLES]
    if roles:
        yield "Roles are not taken over. To give them here:"
        yield from (f"  {_role_command(one.address, one.role, plan)}   # was {one.role}" for one in roles[:_SHOWN])
    if plan.preferences:
        kept = "; ".join(f"{number:,} {_PREFERENCES.get(name, name)}" for name, number in plan.preferences.items())
        yield f"Chosen there, and without a meaning here: {kept}"
    if plan.digest_readers:
        yield f"{plan.digest_readers:,} chose digests: kept so, and mailed each letter until there are digests here"
    if plan.languages_unknown:
        verb = "has" if plan.languages_unknown == 1 else "have"
        yield f"{plan.languages_unknown:,} {verb} no language: they get the list's, {plan.mailing_list.language}"
    if plan.grades:
        grades = ", ".join(f"{plan.grades[grade]:,} {grade}" for grade in EvidenceGrade)
        yield f"Evidence that they agreed: {grades}"
    letters = "Only those who are asked get a letter" if plan.rules.invite else "Nobody is written to by this"
    yield f"{letters}. Links in old letters lead to the old service until its host leads here: see docs/old_links.md"


def _role_command(address: str, role: ListRole, plan: ImportPlan) -> str:
    words = ("mailer", "organiser", "add", address, "--role", _OUR_ROLES[role], "--list", plan.mailing_list.name)
    return shlex.join(words)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def print_plan_as_json(export: OpenedExport, plan: ImportPlan, done: ImportResult | None) -> None:
    """Print the same with the keys of --json, which scripts read."""
    print_json(
        {
            "from": export.format.name,
            "title": export.format.title,
            "files": [file.name for file in export.files],
            "passed_over": export.passed_over,
            "sha256": export.source.sha256,
            "list": plan.mailing_list.name,
            "guessed": plan.guessed,
            "people": plan.people,
            "repeated": plan.repeated,
            "counts": plan.counts if done is None else done.counts,
            "examples": [asdict(one) for one in plan.examples],
            "bad": plan.bad_rows,
            "bad_rows": _as_json(plan.bad),
            "remarks": _as_json(plan.remarks),
            "left_behind": [asdict(one) for one in plan.left_behind],
            "roles": [asdict(one) for one in plan.roles],
            "preferences": plan.preferences,
            "digest_readers": plan.digest_readers,
            "languages_unknown": plan.languages_unknown,
            "evidence": plan.grades,
            "run": done.run if done else None,
        }
    )


def _as_json(rows: Iterable[BadRow]) -> list[dict[str, object]]:
    return [{"place": row.place, "line": row.line, "reason": row.reason} for row in rows]
