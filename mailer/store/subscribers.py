"""Subscribers: the people whose addresses we know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from mailer.domain.address import Address
from mailer.store.inserts import insert_into, insert_many
from mailer.store.people_tables import subscriber


def find_or_add(tx: Connection, address: Address, suppression_key: str, now: datetime) -> int:
    """The id of the person at this address; the mailed form of the address stays as it was first given."""
    row = {
        "address": address.addr_spec,
        "address_key": address.key,
        "mailbox_key": address.mailbox_key,
        "suppression_key": suppression_key,
        "created_at": now,
    }
    return add_missing(tx, [row])[address.key]


def add_missing(tx: Connection, rows: list[dict[str, Any]]) -> dict[str, int]:
    """Add the people not known yet (rows of columns, one per address_key); returns all ids by address_key."""
    if not rows:
        return {}
    insert_many(tx, insert_into(tx, subscriber).on_conflict_do_nothing(index_elements=["address_key"]), rows)
    return ids_by_key(tx, [row["address_key"] for row in rows])


def ids_by_key(tx: Connection, address_keys: Iterable[str]) -> dict[str, int]:
    """The ids of those we know, by address_key."""
    keys = list(address_keys)
    found = tx.execute(select(subscriber.c.address_key, subscriber.c.id).where(subscriber.c.address_key.in_(keys)))
    return {key: number for key, number in found}


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriberRow:
    """A person whose address we know."""

    id: int
    address: str
    address_key: str
    name: str | None
    language: str | None
    zone: str | None


def find(tx: Connection, *, subscriber_id: int | None = None, address_key: str | None = None) -> SubscriberRow | None:
    """The person with this number or this key; None where there is none, or they are erased."""
    if subscriber_id is not None and not 0 < subscriber_id < 2**63:
        return None
    known = subscriber.c.id == subscriber_id if subscriber_id is not None else subscriber.c.address_key == address_key
    names = [one.name for one in fields(SubscriberRow)]
    row = tx.execute(select(*(subscriber.c[name] for name in names)).where(known)).one_or_none()
    return SubscriberRow(**row._mapping) if row is not None and row.address else None


def is_erased(tx: Connection, suppression_key: str) -> bool:
    """Whether the person of this suppression key was erased, and is not deleted yet."""
    erased = select(subscriber.c.id).where(subscriber.c.suppression_key == suppression_key, subscriber.c.address == "")
    return tx.execute(erased.limit(1)).first() is not None


def find_in_mailbox(tx: Connection, mailbox_key: str) -> dict[int, str]:
    """The people whose addresses belong to one mailbox, id -> suppression key."""
    found = tx.execute(
        select(subscriber.c.id, subscriber.c.suppression_key).where(subscriber.c.mailbox_key == mailbox_key)
    )
    return {number: key for number, key in found}


def update_details(tx: Connection, rows: list[Mapping[str, Any]]) -> None:
    """Set name, language and zone from rows {subscriber_id, name, language, zone}; None keeps the present value."""
    if rows:
        new_values: dict[str, Any] = {
            column: func.coalesce(bindparam(f"new_{column}"), subscriber.c[column])
            for column in ("name", "language", "zone")
        }
        tx.execute(
            update(subscriber).where(subscriber.c.id == bindparam("subscriber_id")).values(new_values),
            [
                {
                    "subscriber_id": row["subscriber_id"],
                    "new_name": row.get("name"),
                    "new_language": row.get("language"),
                    "new_zone": row.get("zone"),
                }
                for row in rows
            ],
        )
