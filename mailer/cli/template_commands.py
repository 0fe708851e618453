"""`mailer template ...`: organisers' own templates for letters, tried before they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, read_text, run_action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailer.app import App
    from mailer.domain.accounts.actor import Actor
    from mailer.domain.letters.letter_template import LetterTemplate
    from mailer.mail.compose.problem import Problem

templates = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Add templates of your own for letters.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As front matter names it: template: NAME")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="HTML or MJML, with Jinja2; docs/templates.md says what.")]


@templates.command("ls")
def ls(as_json: AsJson = False) -> None:
    """The templates that letters can have: the house's, and yours."""
    from mailer.actions.templates.show_templates import list_templates

    async def load(app: App, actor: Actor) -> tuple[tuple[str, ...], list[LetterTemplate]]:
        return app.templates.letter_names, await list_templates(app, actor)

    house, own = run_action(load)
    if as_json:
        print_json([{"name": name, "is_own": False} for name in house] + [_as_json(one) for one in own])
        return
    for name in house:
        typer.echo(f"{name}\tof the house")
    for one in own:
        typer.echo(f"{one.name}\tversion {one.id}\t{one.added_at:%Y-%m-%d %H:%M} UTC\t{one.added_by}")


@templates.command("show")
def show(
    name: Name,
    version: Annotated[int | None, typer.Option(help="One of an earlier day; --json lists them.")] = None,
    as_json: AsJson = False,
) -> None:
    """A template of yours, as it was handed in."""
    from mailer.actions.templates.show_templates import show_template

    found = run_action(lambda app, actor: show_template(app, actor, name, version))
    if as_json:
        versions = [_as_json(one) for one in found.versions]
        print_json(_as_json(found.template) | {"source": found.template.source, "versions": versions})
    else:
        typer.echo(found.template.source, nl=False)


@templates.command("new")
def new(name: Name, file: File, as_json: AsJson = False) -> None:
    """Keep a template, or a new version of one; letters launched from now on have it."""
    from mailer.actions.templates.add_template import add_template

    source = read_text(file)
    added, doubts = run_action(lambda app, actor: add_template(app, actor, name, source))
    _print_problems(doubts)
    if as_json:
        print_json(_as_json(added))
    else:
        print_message(f"Letters can have it: template: {added.name} (version {added.id})")


@templates.command("check")
def check(file: File, as_json: AsJson = False) -> None:
    """Try a template, and name all its mistakes; nothing is kept. Exits with 1 where there are mistakes."""
    from mailer.actions.templates.check_template import check_template

    source = read_text(file)
    trial = run_action(lambda app, actor: check_template(app, actor, source))
    if as_json:
        print_json([_problem_as_json(one) for one in trial.problems])
    else:
        _print_problems(trial.problems)
        print_message("It cannot be used so." if trial.errors else "Every sample letter can be written with it.")
    if trial.errors:
        raise typer.Exit(1)


@templates.command("rm")
def rm(name: Name) -> None:
    """Remove a template of yours; letters that were launched with it keep it."""
    from mailer.actions.templates.remove_template import remove_template

    run_action(lambda app, actor: remove_template(app, actor, name))
    print_message(f"No new letter can have the template {name}.")


@templates.command("example")
def example(
    mjml: Annotated[bool, typer.Option("--mjml", help="In MJML instead of HTML.")] = False,
) -> None:
    """Print a whole template to begin with."""
    from mailer.mail.templates.example_templates import read_example

    typer.echo(read_example(is_mjml=mjml), nl=False)


def _print_problems(problems: Iterable[Problem]) -> None:
    for one in problems:
        where = f"line {one.line}: " if one.line else ""
        print_message(f"{one.severity}: {where}{one.message}")


def _as_json(template: LetterTemplate) -> dict[str, Any]:
    return {
        "name": template.name,
        "is_own": True,
        "version": template.id,
        "added_at": template.added_at,
        "added_by": template.added_by,
    }


def _problem_as_json(problem: Problem) -> dict[str, Any]:
    return {"line": problem.line, "severity": problem.severity, "message": problem.message}
