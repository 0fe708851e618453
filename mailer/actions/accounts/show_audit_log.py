"""Show the audit log, of the site or of one list."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import AuditLine
from mailer.domain.accounts.role import Permission
from mailer.domain.page import MAX_PAGE_SIZE, Page
from mailer.store import mailing_lists
from mailer.store.accounts import audit_log
from mailer.store.pages import all_items


async def audit_page(
    app: App, actor: Actor, after: str = "", limit: int = MAX_PAGE_SIZE, *, list_name: str | None = None
) -> Page[AuditLine]:
    """A page of the audit log, newest first: of everything, or of what concerns one list.

    `after` is the cursor of the page before. Raises NotFound, and NotPermitted unless the actor manages the list, or
    the site where no list is named.
    """

    def work(tx: Connection) -> Page[AuditLine]:
        mailing_list_id = mailing_lists.get_by_name(tx, list_name).id if list_name is not None else None
        actor.require(Permission.MANAGE_SITE if mailing_list_id is None else Permission.MANAGE_LIST, mailing_list_id)
        return audit_log.list_page(tx, after, limit, mailing_list_id=mailing_list_id)

    return await app.database.read(work)


def all_audit_lines(app: App, actor: Actor, *, list_name: str | None = None) -> AsyncIterator[AuditLine]:
    """Yield all lines that `audit_page` pages through."""
    return all_items(lambda after: audit_page(app, actor, after, list_name=list_name))
