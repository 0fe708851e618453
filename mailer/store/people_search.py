"""People found by how their address or name begins, and counted up to a bound: by indexes, never by a scan."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    String,
    Text,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    union,
    union_all,
)

from mailer.domain.list_view import PeopleNumber
from mailer.domain.subscription import SubscriptionState
from mailer.store.people_tables import subscriber, subscription

COUNTED = 20_000
"""People of one list and state are counted up to this number."""
_LOOKED_AT = 2000
"""Among so many people whose address begins so, and so many whose name does, those on the lists are looked for."""
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundPerson:
    """Somebody who was found."""

    subscriber_id: int
    address: str
    name: str | None
    language: str | None


def find_by_beginning(
    tx: Connection, key: str, names: Collection[str], mailing_list_ids: Collection[int] | None, limit: int
) -> list[FoundPerson]:
    """At most `limit` people, by address, whose address key begins with `key` or whose name with one of `names`.

    Only people with a subscription to one of the lists; None: all who are known. With very many such people, some that
    are on the lists may not be found: more letters find them.
    """
    by_address = select(subscriber.c.id).where(begins_with(tx, subscriber.c.address_key, key)).limit(_LOOKED_AT)
    by_name = select(subscriber.c.id).where(or_(*(begins_with(tx, subscriber.c.name, name) for name in names)))
    looked_at = union(
        select(by_address.subquery().c.id),
        select(by_name.where(subscriber.c.name.is_not(None)).limit(_LOOKED_AT).subquery().c.id),
    ).subquery()
    query = (
        select(subscriber.c.id, subscriber.c.address, subscriber.c.name, subscriber.c.language)
        .join(looked_at, looked_at.c.id == subscriber.c.id)
        .where(subscriber.c.address != "")
        .order_by(subscriber.c.address_key)
        .limit(limit)
    )
    if mailing_list_ids is not None:
        is_there = exists().where(
            subscription.c.subscriber_id == subscriber.c.id, subscription.c.mailing_list_id.in_(mailing_list_ids)
        )
        query = query.where(is_there)
    return [
        FoundPerson(subscriber_id=row.id, address=row.address, name=row.name, language=row.language)
        for row in tx.execute(query)
    ]


def states_by_person(
    tx: Connection, subscriber_ids: Collection[int], mailing_list_ids: Collection[int] | None
) -> dict[int, dict[int, SubscriptionState]]:
    """By subscriber: the states of their subscriptions to the lists (None: all), by list."""
    query = select(subscription.c.subscriber_id, subscription.c.mailing_list_id, subscription.c.state).where(
        subscription.c.subscriber_id.in_(list(subscriber_ids))
    )
    if mailing_list_ids is not None:
        query = query.where(subscription.c.mailing_list_id.in_(mailing_list_ids))
    found: dict[int, dict[int, SubscriptionState]] = {}
    for person, mailing_list_id, state in tx.execute(query):
        found.setdefault(person, {})[mailing_list_id] = SubscriptionState(state)
    return found


def count_people(
    tx: Connection, mailing_list_ids: Iterable[int], states: Collection[SubscriptionState] = tuple(SubscriptionState)
) -> dict[int, dict[SubscriptionState, PeopleNumber]]:
    """By list and state: how many people there are, up to COUNTED."""
    ids = list(mailing_list_ids)
    if not ids:
        return {}
    counts = [
        select(
            literal(mailing_list_id),
            literal(state.value, String),
            select(func.count())
            .select_from(
                select(literal(1))
                .where(subscription.c.mailing_list_id == mailing_list_id, subscription.c.state == state)
                .limit(COUNTED + 1)
                .subquery()
            )
            .scalar_subquery(),
        )
        for mailing_list_id in ids
        for state in states
    ]
    found: dict[int, dict[SubscriptionState, PeopleNumber]] = {}
    for mailing_list_id, state, number in tx.execute(union_all(*counts)):
        counted = PeopleNumber(number=min(number, COUNTED), is_exact=number <= COUNTED)
        found.setdefault(mailing_list_id, {})[SubscriptionState(state)] = counted
    return found


def begins_with(tx: Connection, column: Column[str], text: str) -> ColumnElement[bool]:
    """Whether the column begins with this, by its index."""
    if tx.dialect.name == "sqlite":  # whose LIKE uses no index that distinguishes cases
        return and_(column >= text, column < literal(text + _LAST_CHARACTER, Text))
    return column.startswith(text, autoescape=True)
