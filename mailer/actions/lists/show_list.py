"""Show mailing lists, with how many people are on them."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.list_view import ListView
from mailer.domain.mailing_list import MailingList
from mailer.domain.page import MAX_PAGE_SIZE, Page
from mailer.store import mailing_lists
from mailer.store.pages import all_items


async def show_list(app: App, actor: Actor, name: str) -> ListView:
    """The list of that name, with its address, page and subscription counts. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> ListView:
        mailing_list = mailing_lists.get_by_name(tx, name)
        actor.require(Permission.READ, mailing_list.id)
        return _view(tx, app, mailing_list)

    return await app.database.read(work)


async def list_page(app: App, actor: Actor, after: str = "", limit: int = MAX_PAGE_SIZE) -> Page[ListView]:
    """A page of the lists that the actor may read, by name; `after` is the cursor of the page before."""

    def work(tx: Connection) -> Page[ListView]:
        page = mailing_lists.list_page(tx, after, limit, actor.list_ids(Permission.READ))
        return Page(tuple(_view(tx, app, one) for one in page.items), page.next_cursor)

    return await app.database.read(work)


async def show_lists(app: App, actor: Actor) -> list[ListView]:
    """All lists that the actor may read, by name."""
    return [one async for one in all_items(partial(list_page, app, actor))]


def _view(tx: Connection, app: App, mailing_list: MailingList) -> ListView:
    identity = app.list_identity(mailing_list)
    return ListView(
        mailing_list=mailing_list,
        address=identity.address(),
        join_url=identity.join_url,
        throttled_until=mailing_list.quiet_until if mailing_list.is_throttled(app.clock()) else None,
        subscriptions=mailing_lists.count_by_state(tx, mailing_list.id),
    )
