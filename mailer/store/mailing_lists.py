"""Mailing lists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Row, func, select, update

from mailer.domain.mailing_list import MailingList
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
    footer: Mapping[str, str | None] | None = None,
) -> MailingList:
    """Add a list. Raises AlreadyExists when the name is taken."""
    statement = insert_into(tx, mailing_list).values(
        name=name,
        title=title,
        description=description,
        language=language,
        owner=owner,
        created_at=now,
        **(footer or {}),
    )
    if tx.execute(statement.on_conflict_do_nothing()).rowcount == 0:
        raise AlreadyExists(f"there is a mailing list called {name!r} already")
    return get_by_name(tx, name)


def get_by_name(tx: Connection, name: str) -> MailingList:
    """The list of that name. Raises NotFound."""
    row = tx.execute(select(mailing_list).where(mailing_list.c.name == name)).one_or_none()
    if row is None:
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


def list_page(tx: Connection, after: str = "", limit: int = MAX_PAGE_SIZE) -> Page[MailingList]:
    """A page of lists, by name; `after` is the cursor of the page before."""
    query = select(mailing_list).where(mailing_list.c.name > after).order_by(mailing_list.c.name)
    found = [_list_from_row(row) for row in tx.execute(query.limit(page_size(limit) + 1))]
    return make_page(found, limit, lambda one: one.name)


def set_throttled_until(tx: Connection, mailing_list_id: int, until: datetime) -> None:
    """Do not answer requests of unauthenticated senders until then."""
    tx.execute(update(mailing_list).where(mailing_list.c.id == mailing_list_id).values(quiet_until=until))


def set_bounce_limits(tx: Connection, mailing_list_id: int, *, hard_after: int | None, soft_limit: int | None) -> None:
    """Set how many bounces in a row, and how many points, the list allows; None keeps the present value."""
    given = {"hard_after": hard_after, "soft_limit": soft_limit}
    changed = {name: number for name, number in given.items() if number is not None}
    if changed:
        tx.execute(update(mailing_list).where(mailing_list.c.id == mailing_list_id).values(changed))


def set_footer(tx: Connection, mailing_list_id: int, footer: Mapping[str, str | None]) -> None:
    """Set what letters of campaigns launched from now on say at their end: `postal_address`, `reason`."""
    if footer:
        tx.execute(update(mailing_list).where(mailing_list.c.id == mailing_list_id).values(dict(footer)))


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
    )
