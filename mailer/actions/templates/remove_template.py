"""Removes a template of organisers."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import CampaignState
from mailer.domain.letters.letter_template import find_template_names
from mailer.errors import WrongState
from mailer.store import campaigns
from mailer.store.accounts import audit_log
from mailer.store.letters import letter_templates
from mailer.store.writing import drafts

_MOST_NAMED = 5


async def remove_template(app: App, actor: Actor, name: str) -> None:
    """No new letter can have the template; letters that were launched keep it, and handing it in again restores it.

    Raises NotFound, NotPermitted, and WrongState where texts of campaigns that are not launched yet name it.
    """

    def work(tx: Connection) -> None:
        actor.require(Permission.MANAGE_SITE)
        before = letter_templates.get_current(tx, name)
        if using := _campaigns_that_name(tx, name):
            named = ", ".join(map(str, using[:_MOST_NAMED])) + (", ..." if len(using) > _MOST_NAMED else "")
            raise WrongState(
                f"letters that are not sent yet name the template {name!r}: campaign {named}; change them first"
            )
        letter_templates.remove(tx, name)
        audit_log.record(
            tx,
            actor,
            Act.REMOVE_TEMPLATE,
            subject=f"template {name}",
            before={"version": before.id},
            now=app.clock(),
        )

    await app.database.write(work)


def _campaigns_that_name(tx: Connection, name: str) -> list[int]:
    written = drafts.drafts_of_many(tx, campaigns.ids_in_states(tx, CampaignState.DRAFT, CampaignState.SCHEDULED))
    return sorted(
        number for number, texts in written.items() if any(name in find_template_names(one.text) for one in texts)
    )
