"""Organisers and their roles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from mailer.domain.accounts.organiser import SITE_OWNER, Organiser
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.address import Address
from mailer.errors import NotFound
from mailer.store.accounts.organiser_tables import organiser, organiser_role
from mailer.store.inserts import insert_into

_SITE = 0
"""The mailing_list_id of a role for the whole site."""


def add(
    tx: Connection, address: Address, *, name: str | None, language: str, zone: str, now: datetime
) -> tuple[int, bool]:
    """The id of the organiser of this address, and whether they are new; of a known one nothing is changed."""
    statement = insert_into(tx, organiser).values(
        address=address.addr_spec, address_key=address.key, name=name, language=language, zone=zone, created_at=now
    )
    is_new = bool(tx.execute(statement.on_conflict_do_nothing()).rowcount)
    return tx.execute(select(organiser.c.id).where(organiser.c.address_key == address.key)).scalar_one(), is_new


def change(tx: Connection, organiser_id: int, *, name: str | None, language: str, zone: str) -> None:
    """Set the organiser's name, language and zone."""
    values = {"name": name, "language": language, "zone": zone}
    tx.execute(update(organiser).where(organiser.c.id == organiser_id).values(values))


def find_by_address(tx: Connection, address_key: str) -> Organiser | None:
    """The organiser with this address key, or None."""
    row = tx.execute(select(organiser).where(organiser.c.address_key == address_key)).one_or_none()
    return add_grants(tx, [row])[0] if row else None


def get(tx: Connection, organiser_id: int) -> Organiser:
    """The organiser of that id. Raises NotFound."""
    row = tx.execute(select(organiser).where(organiser.c.id == organiser_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no organiser {organiser_id}")
    return add_grants(tx, [row])[0]


def list_all(tx: Connection) -> list[Organiser]:
    """All organisers, by address. They are few: people who run lists, not readers."""
    return add_grants(tx, tx.execute(select(organiser).order_by(organiser.c.address_key)).all())


def exist(tx: Connection) -> bool:
    """Whether there is any organiser."""
    return tx.execute(select(organiser.c.id).limit(1)).first() is not None


def remove(tx: Connection, organiser_id: int) -> None:
    """Remove an organiser, with roles, sign-ins and sessions."""
    tx.execute(delete(organiser).where(organiser.c.id == organiser_id))


def lock_roles(tx: Connection) -> None:
    """Make other transactions that change roles wait for this one, so that both cannot remove each other's owner."""
    # On SQLite there is one writer anyway.
    tx.execute(select(organiser.c.id).order_by(organiser.c.id).with_for_update())


def add_grant(tx: Connection, organiser_id: int, grant: Grant) -> bool:
    """Give a role; returns whether it is new."""
    statement = insert_into(tx, organiser_role).values(organiser_id=organiser_id, **_role_columns(grant))
    return bool(tx.execute(statement.on_conflict_do_nothing()).rowcount)


def remove_grant(tx: Connection, organiser_id: int, grant: Grant) -> bool:
    """Take a role away; returns whether they had it."""
    these = [organiser_role.c[name] == value for name, value in _role_columns(grant).items()]
    return bool(
        tx.execute(delete(organiser_role).where(organiser_role.c.organiser_id == organiser_id, *these)).rowcount
    )


def count_site_owners(tx: Connection) -> int:
    """How many organisers own the whole site."""
    columns = _role_columns(SITE_OWNER)
    these = [organiser_role.c[name] == value for name, value in columns.items()]
    return tx.execute(select(func.count()).select_from(organiser_role).where(*these)).scalar_one()


def _role_columns(grant: Grant) -> dict[str, object]:
    return {
        "mailing_list_id": grant.mailing_list_id or _SITE,
        "role": grant.role,
        "language": grant.language or "",
    }


def add_grants(tx: Connection, rows: Iterable[Row[Any]]) -> list[Organiser]:
    """The organisers of rows that hold the table's columns, with all their roles."""
    found = [row._mapping for row in rows]
    of_these = organiser_role.c.organiser_id.in_([row[organiser.c.id] for row in found])
    order = (organiser_role.c.mailing_list_id, organiser_role.c.role, organiser_role.c.language)
    grants = defaultdict[int, list[Grant]](list)
    for row in tx.execute(select(organiser_role).where(of_these).order_by(*order)):
        grant = Grant(role=Role(row.role), mailing_list_id=row.mailing_list_id or None, language=row.language or None)
        grants[row.organiser_id].append(grant)
    return [
        Organiser(
            id=row[organiser.c.id],
            address=row[organiser.c.address],
            name=row[organiser.c.name],
            language=row[organiser.c.language],
            zone=row[organiser.c.zone],
            grants=tuple(grants[row[organiser.c.id]]),
        )
        for row in found
    ]
