"""The numbered imports of the lists whose people the actor sees."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor, require_anywhere
from mailer.domain.accounts.role import Permission
from mailer.domain.imports.import_run import ImportRunView
from mailer.store import mailing_lists
from mailer.store.imports import import_runs

_MOST_LISTED = 200


async def list_imports(app: App, actor: Actor, *, list_name: str | None = None) -> tuple[ImportRunView, ...]:
    """The latest imports, the newest first; of one list, if named. Raises NotFound and NotPermitted."""

    def work(tx: Connection) -> tuple[ImportRunView, ...]:
        if list_name is None:
            return import_runs.list_runs(tx, require_anywhere(actor, Permission.SEE_PEOPLE), _MOST_LISTED)
        mailing_list = mailing_lists.get_by_name(tx, list_name)
        actor.require(Permission.SEE_PEOPLE, mailing_list.id)
        return import_runs.list_runs(tx, [mailing_list.id], _MOST_LISTED)

    return await app.database.read(work)


async def show_import(app: App, actor: Actor, number: int) -> ImportRunView:
    """One import. Raises NotFound and NotPermitted."""

    def work(tx: Connection) -> ImportRunView:
        run = import_runs.get(tx, number)
        actor.require(Permission.SEE_PEOPLE, run.mailing_list_id)
        return run

    return await app.database.read(work)
