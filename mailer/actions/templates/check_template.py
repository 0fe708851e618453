"""Tries a template without keeping it."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.letters.media import find_media_digests, find_media_paths
from mailer.mail.templates.template_checks import template_problem
from mailer.mail.templates.template_trial import TemplateTrial, TrialRequest
from mailer.network.template_trial import run_template_trial
from mailer.store.letters import media


async def check_template(app: App, actor: Actor, source: str, show: str | None = None) -> TemplateTrial:
    """All mistakes of a template, and what its writer should look at; nothing is kept.

    It is tried in a process of its own, under limits, on letters of every kind. `show` is a language of letters: the
    trial then has a sample letter in it. Raises NotPermitted.
    """
    actor.require(Permission.MANAGE_SITE)
    trial = await run_template_trial(TrialRequest(source=source, templates=app.templates, show=show))
    if trial.errors:
        return trial
    missing = await app.database.read(_missing_pictures, source)
    if not missing:
        return trial
    lines = {path: source.count("\n", 0, source.index(path)) + 1 for path in missing}
    problems = tuple(template_problem(f"there is no picture {path}", line) for path, line in lines.items())
    return TemplateTrial(html="", problems=problems, shown=trial.shown)


def _missing_pictures(tx: Connection, source: str) -> list[str]:
    found = {one.path for one in media.load_many(tx, find_media_digests(source), with_content=False)}
    return sorted(set(find_media_paths(source)) - found)
