"""Sessions: the browsers in which organisers are signed in. Of a cookie only its hash is stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from mailer.domain.accounts.organiser import SESSION_LIFETIME, Organiser, OrganiserSession
from mailer.domain.accounts.secret_word import hash_word
from mailer.errors import NotFound
from mailer.store.accounts import organisers
from mailer.store.accounts.organiser_tables import organiser, organiser_session


def add(tx: Connection, organiser_id: int, *, cookie: str, device: str, now: datetime) -> OrganiserSession:
    """Open a session for whoever shows this cookie. Raises NotFound where there is no such organiser."""
    person = organisers.get(tx, organiser_id)
    values = {
        "organiser_id": organiser_id,
        "token_hash": hash_word(cookie),
        "device": device,
        "created_at": now,
        "used_at": now,
        "expires_at": now + SESSION_LIFETIME,
    }
    session_id = tx.execute(insert(organiser_session).values(values).returning(organiser_session.c.id)).scalar_one()
    return OrganiserSession(
        id=session_id,
        organiser=person,
        device=device,
        created_at=now,
        used_at=now,
        expires_at=now + SESSION_LIFETIME,
    )


def find_by_cookie(tx: Connection, cookie: str, now: datetime) -> OrganiserSession | None:
    """The session of this cookie, or None where there is none or it is over."""
    # Each page asks this: the organiser comes with the session.
    query = select(organiser_session, organiser).join_from(organiser_session, organiser)
    is_theirs = (organiser_session.c.token_hash == hash_word(cookie), organiser_session.c.expires_at > now)
    row = tx.execute(query.where(*is_theirs)).one_or_none()
    return _session_from_row(row, organisers.add_grants(tx, [row])[0]) if row else None


def record_use(tx: Connection, session_id: int, now: datetime) -> None:
    """Let the session begin its lifetime anew; one that was revoked meanwhile stays so."""
    values = {"used_at": now, "expires_at": now + SESSION_LIFETIME}
    tx.execute(update(organiser_session).where(organiser_session.c.id == session_id).values(values))


def get(tx: Connection, session_id: int) -> OrganiserSession:
    """The session of that id, over or not. Raises NotFound."""
    row = tx.execute(select(organiser_session).where(organiser_session.c.id == session_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no session {session_id}; it may have been signed out")
    return _session_from_row(row, organisers.get(tx, row.organiser_id))


def list_of(tx: Connection, person: Organiser, now: datetime) -> list[OrganiserSession]:
    """The organiser's sessions that are not over, the last used first."""
    query = select(organiser_session).where(
        organiser_session.c.organiser_id == person.id, organiser_session.c.expires_at > now
    )
    rows = tx.execute(query.order_by(organiser_session.c.used_at.desc(), organiser_session.c.id.desc()))
    return [_session_from_row(row, person) for row in rows]


def list_all(tx: Connection, now: datetime, limit: int) -> list[OrganiserSession]:
    """Up to `limit` sessions of all organisers that are not over, the last used first."""
    people = {one.id: one for one in organisers.list_all(tx)}
    query = select(organiser_session).where(organiser_session.c.expires_at > now)
    rows = tx.execute(query.order_by(organiser_session.c.used_at.desc(), organiser_session.c.id.desc()).limit(limit))
    return [_session_from_row(row, people[row.organiser_id]) for row in rows]


def last_used(tx: Connection, now: datetime) -> dict[int, datetime]:
    """For each organiser with a session that is not over, when one of theirs was used last."""
    used = select(organiser_session.c.organiser_id, func.max(organiser_session.c.used_at))
    found = tx.execute(used.where(organiser_session.c.expires_at > now).group_by(organiser_session.c.organiser_id))
    return {organiser_id: at for organiser_id, at in found}


def remove(tx: Connection, session_id: int) -> bool:
    """End a session; returns whether there was one."""
    return bool(tx.execute(delete(organiser_session).where(organiser_session.c.id == session_id)).rowcount)


def remove_all_of(tx: Connection, organiser_id: int, *, but: int | None = None) -> int:
    """End all sessions of an organiser, except `but`; returns how many ended."""
    others = [] if but is None else [organiser_session.c.id != but]
    return tx.execute(
        delete(organiser_session).where(organiser_session.c.organiser_id == organiser_id, *others)
    ).rowcount


def delete_over(tx: Connection, now: datetime, limit: int) -> int:
    """Delete up to `limit` sessions that are over; returns how many."""
    over = select(organiser_session.c.id).where(organiser_session.c.expires_at <= now).limit(limit)
    return tx.execute(delete(organiser_session).where(organiser_session.c.id.in_(over))).rowcount


def _session_from_row(row: Row[Any], person: Organiser) -> OrganiserSession:
    values = row._mapping
    return OrganiserSession(
        id=values[organiser_session.c.id],
        organiser=person,
        device=values[organiser_session.c.device],
        created_at=values[organiser_session.c.created_at],
        used_at=values[organiser_session.c.used_at],
        expires_at=values[organiser_session.c.expires_at],
    )
