"""Shows the templates of letters: the house's and the organisers' own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor, require_anywhere
from mailer.domain.accounts.role import Permission
from mailer.domain.letters.letter_template import LetterTemplate
from mailer.errors import NotFound
from mailer.mail.templates.sample_letters import render_sample, shown_sample
from mailer.store.letters import letter_templates


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateVersions:
    """A template of organisers with all its versions."""

    template: LetterTemplate
    """The version that was asked for."""
    versions: tuple[LetterTemplate, ...]
    """The newest first."""
    current_id: int | None
    """The version that letters are launched with; None where it was removed."""


async def list_templates(app: App, actor: Actor) -> list[LetterTemplate]:
    """The organisers' templates that letters can have, by name; the house's are `app.templates.letter_names`.

    Raises NotPermitted for whoever may read no list.
    """
    require_anywhere(actor, Permission.READ)
    return await app.database.read(letter_templates.list_current)


async def template_names(app: App, actor: Actor) -> tuple[str, ...]:
    """The names of all templates that a letter can have: the house's, then the organisers'. Raises as above."""
    require_anywhere(actor, Permission.READ)
    return (*app.templates.letter_names, *sorted(await app.database.read(letter_templates.current_ids)))


async def show_template(app: App, actor: Actor, name: str, version: int | None = None) -> TemplateVersions:
    """A version of the organisers' template of that name, None: the newest. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> TemplateVersions:
        actor.require(Permission.MANAGE_SITE)
        found = letter_templates.list_versions(tx, name)
        chosen = next((one for one in found if version in (None, one.id)), None)
        if chosen is None:
            raise NotFound(f"there is no template of yours called {name!r}, or no such version of it")
        current = letter_templates.current_ids(tx).get(name)
        return TemplateVersions(template=chosen, versions=tuple(found), current_id=current)

    return await app.database.read(work)


async def show_sample(app: App, actor: Actor, name: str, version: int | None, language: str | None) -> str:
    """The HTML of a sample letter with a version of the template, in a language of letters.

    Raises NotFound, NotPermitted, CampaignFileRefused.
    """
    found = await show_template(app, actor, name, version)
    sample = shown_sample(app.language(language))
    return await asyncio.to_thread(render_sample, found.template.html, sample, app.templates)
