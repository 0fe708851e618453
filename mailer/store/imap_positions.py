"""How far each IMAP mailbox was read: every mail up to there is stored, or is not for us."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from mailer.store.inserts import insert_into
from mailer.store.people_tables import mailbox


@dataclass(frozen=True, kw_only=True, slots=True)
class ImapPosition:
    """A position in a mailbox (RFC 9051 section 2.3.1.1)."""

    uid_validity: int
    """The UIDVALIDITY of the UIDs; the server changes it when it renumbers the mails."""
    last_uid: int
    """The highest UID that was processed; 0 for none."""


def get_position(tx: Connection, name: str) -> ImapPosition | None:
    """The position in the mailbox of this name; None where it was never read."""
    row = tx.execute(select(mailbox.c.uid_validity, mailbox.c.last_uid).where(mailbox.c.name == name)).one_or_none()
    return ImapPosition(uid_validity=row.uid_validity, last_uid=row.last_uid) if row else None


def set_position(tx: Connection, name: str, position: ImapPosition) -> None:
    """Record that all up to this position is processed."""
    place = {"uid_validity": position.uid_validity, "last_uid": position.last_uid}
    statement = insert_into(tx, mailbox).values(name=name, **place)
    tx.execute(statement.on_conflict_do_update(index_elements=["name"], set_=place))
