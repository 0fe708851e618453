"""Readers of a list as letters see them: a few of them by index, and one by address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select, union_all

from mailer.domain.subscription import SubscriptionState
from mailer.store.audience import is_suppressed_on
from mailer.store.people_tables import subscriber, subscription


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """A subscriber, with the values that a letter to them uses."""

    subscription_id: int
    address: str
    name: str | None
    language: str | None
    attributes: dict[str, str]


def list_some(tx: Connection, mailing_list_id: int, number: int) -> list[Reader]:
    """The `number` oldest and newest confirmed subscriptions whose people are not suppressed, each once."""
    query = _query(mailing_list_id).where(~is_suppressed_on(mailing_list_id))
    ends = (query.order_by(order).limit(number).subquery() for order in (subscription.c.id, subscription.c.id.desc()))
    found = tx.execute(union_all(*(select(end) for end in ends)))
    return [_reader_from_row(row) for row in {row.id: row for row in found}.values()]


def list_chunk(tx: Connection, mailing_list_id: int, after: int, limit: int) -> list[Reader]:
    """The next `limit` confirmed subscriptions after one, by id, of people who are not suppressed."""
    query = _query(mailing_list_id).where(subscription.c.id > after, ~is_suppressed_on(mailing_list_id))
    return [_reader_from_row(row) for row in tx.execute(query.order_by(subscription.c.id).limit(limit))]


def find(tx: Connection, mailing_list_id: int, address_key: str) -> Reader | None:
    """The confirmed subscriber of a list at this address, or None."""
    row = tx.execute(_query(mailing_list_id).where(subscriber.c.address_key == address_key)).one_or_none()
    return None if row is None else _reader_from_row(row)


def find_by_id(tx: Connection, mailing_list_id: int, subscription_id: int) -> Reader | None:
    """The confirmed subscriber of a list with this subscription, or None."""
    row = tx.execute(_query(mailing_list_id).where(subscription.c.id == subscription_id)).one_or_none()
    return None if row is None else _reader_from_row(row)


def attribute_names(tx: Connection, mailing_list_id: int, limit: int) -> frozenset[str] | None:
    """The names of the values that the newest `limit` readers of a list have; None where there is no reader."""
    newest = (
        select(subscription.c.attributes)
        .where(subscription.c.mailing_list_id == mailing_list_id, subscription.c.state == SubscriptionState.CONFIRMED)
        .order_by(subscription.c.id.desc())
        .limit(limit)
    )
    found = list(tx.execute(newest).scalars())
    return frozenset(name for held in found for name, value in held.items() if value) if found else None


def _query(mailing_list_id: int) -> Select[Any]:
    return (
        select(
            subscription.c.id, subscriber.c.address, subscriber.c.name, subscriber.c.language, subscription.c.attributes
        )
        .join_from(subscription, subscriber)
        .where(subscription.c.mailing_list_id == mailing_list_id, subscription.c.state == SubscriptionState.CONFIRMED)
    )


def _reader_from_row(row: Row[Any]) -> Reader:
    return Reader(
        subscription_id=row.id,
        address=row.address,
        name=row.name,
        language=row.language,
        attributes=dict(row.attributes or {}),
    )
