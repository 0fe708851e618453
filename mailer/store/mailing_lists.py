"""Mailing lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from mailer.domain.mailing_list import ArchiveMode, MailingList
from mailer.domain.page import MAX_PAGE_SIZE, Page, make_page, page_size
from mailer.domain.subscription import SubscriptionState
from mailer.errors import AlreadyExists, NotFound
from mailer.store.inserts import insert_into
from mailer.store.people_tables import mailing_list, subscription


def add(
    tx: Connection,
    *,
    name: str,
    title: str,
    description: str,
    language: str,
    owner: str,
    now: datetime,
    **more: Any,
) -> MailingList:
    """Add a list; `more` are further fields of MailingList. Raises AlreadyExists when the name is taken."""
    statement = insert_into(tx, mailing_list).values(
        name=name,
        title=title,
        description=description,
        language=language,
        owner=owner,
        created_at=now,
        **more,
    )
    if tx.execute(statement.on_conflict_do_nothing()).rowcount == 0:
        raise AlreadyExists(f"there is a mailing list called {name!r} already")
    return get_by_name(tx, name)


def get_by_name(tx: Connection, name: str) -> MailingList:
    """The list of that name. Raises NotFound."""
    # Of names from outside PostgreSQL would refuse some characters.
    found = name.isprintable() and tx.execute(select(mailing_list).where(mailing_list.c.name == name))
    if not (row := found.one_or_none() if found else None):
        raise NotFound(f"there is no mailing list called {name!r}")
    return _list_from_row(row)


def exists(tx: Connection, name: str) -> bool:
    return tx.execute(select(mailing_list.c.id).where(mailing_list.c.name == name)).one_or_none() is not None


def get(tx: Connection, mailing_list_id: int) -> MailingList:
    """The list of that id. Raises NotFound."""
    row = tx.execute(select(mailing_list).where(mailing_list.c.id == mailing_list_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no mailing list {mailing_list_id}")
    return _list_from_row(row)


def list_all(tx: Connection) -> list[MailingList]:
    """All lists by name."""
    return [_list_from_row(row) for row in tx.execute(select(mailing_list).order_by(mailing_list.c.name))]


def list_page(
    tx: Connection, after: str = "", limit: int = MAX_PAGE_SIZE, ids: Collection[int] | None = None
) -> Page[MailingList]:
    """A page of lists (None: of all), by name; `after` is the cursor of the page before."""
    query = select(mailing_list).where(mailing_list.c.name > after).order_by(mailing_list.c.name)
    if ids is not None:
        query = query.where(mailing_list.c.id.in_(ids))
    found = [_list_from_row(row) for row in tx.execute(query.limit(page_size(limit) + 1))]
    return make_page(found, limit, lambda one: one.name)


def set_throttled_until(tx: Connection, mailing_list_id: int, until: datetime) -> None:
    """Do not answer requests of unauthenticated senders until then."""
    tx.execute(update(mailing_list).where(mailing_list.c.id == mailing_list_id).values(quiet_until=until))


def change(tx: Connection, mailing_list_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of a list, by the names of MailingList's fields."""
    if values:
        tx.execute(update(mailing_list).where(mailing_list.c.id == mailing_list_id).values(dict(values)))


def count_by_state(tx: Connection, mailing_list_id: int) -> dict[SubscriptionState, int]:
    """How many subscriptions are in each state."""
    counted = tx.execute(
        select(subscription.c.state, func.count())
        .where(subscription.c.mailing_list_id == mailing_list_id)
        .group_by(subscription.c.state)
    )
    found = {SubscriptionState(state): number for state, number in counted}
    return {state: found.get(state, 0) for state in SubscriptionState}


def _list_from_row(row: Row[tuple[object, ...]]) -> MailingList:
    return MailingList(
        id=row.id,
        name=row.name,
        title=row.title,
        description=row.description,
        language=row.language,
        owner=row.owner,
        quiet_until=row.quiet_until,
        hard_after=row.hard_after,
        soft_limit=row.soft_limit,
        postal_address=row.postal_address,
        reason=row.reason,
        zone=row.zone,
        testers=tuple(row.testers or ()),
        needs_approval=row.needs_approval,
        accent_color=row.accent_color,
        logo=row.logo,
        archive=None if row.archive is None else ArchiveMode(row.archive),
        segments=row.segments or {},
    )
