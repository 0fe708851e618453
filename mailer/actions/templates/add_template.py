"""Keeps a template of organisers, or a new version of one."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.templates.check_template import check_template
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.letters.letter_template import LetterTemplate, check_template_name
from mailer.errors import NotFound
from mailer.mail.compose.problem import Problem
from mailer.store.accounts import audit_log
from mailer.store.letters import letter_templates


async def add_template(app: App, actor: Actor, name: str, source: str) -> tuple[LetterTemplate, tuple[Problem, ...]]:
    """(the template, what its writer should look at): letters that are launched from now on are poured into it.

    The same source as before makes no new version. Raises TemplateRefused for a name that the house has or that
    cannot be one, and with the line of the first mistake; NotPermitted.
    """
    actor.require(Permission.MANAGE_SITE)
    check_template_name(name, app.templates.letter_names)
    trial = await check_template(app, actor, source)
    trial.require_no_error()

    def work(tx: Connection) -> LetterTemplate:
        actor.require(Permission.MANAGE_SITE)
        before = _current(tx, name)
        if before is not None and (before.source, before.html) == (source, trial.html):
            return before
        added = letter_templates.add(tx, name=name, source=source, html=trial.html, by=actor.name, now=app.clock())
        audit_log.record(
            tx,
            actor,
            Act.ADD_TEMPLATE,
            subject=f"template {name}",
            before={"version": before.id} if before else None,
            after={"version": added.id, "characters": len(source)},
            now=app.clock(),
        )
        return added

    return await app.database.write(work), trial.problems


def _current(tx: Connection, name: str) -> LetterTemplate | None:
    try:
        return letter_templates.get_current(tx, name)
    except NotFound:
        return None
