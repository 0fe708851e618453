"""Sessions: find the organiser of a cookie, list sessions, end them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.organiser import USE_RECORDED_EVERY, OrganiserSession
from mailer.domain.accounts.role import Permission
from mailer.domain.accounts.secret_word import WORD_OCTETS, is_word, make_word
from mailer.errors import NotFound
from mailer.store.accounts import audit_log, organiser_sessions, organisers

MOST_SESSIONS_SHOWN = 200


async def find_session(app: App, cookie: str | None) -> OrganiserSession | None:
    """The session of a cookie, or None where there is none or it is over. Its use is recorded once a minute."""
    if cookie is None or not is_word(cookie):
        return None
    now = app.clock()
    session = await app.database.read(organiser_sessions.find_by_cookie, cookie, now)
    if session is not None and session.used_at + USE_RECORDED_EVERY <= now:
        await app.database.write(organiser_sessions.record_use, session.id, now)
    return session


def organiser_actor(session: OrganiserSession) -> Actor:
    """The actor of what this organiser does on pages of the console."""
    organiser = session.organiser
    return Actor(name=organiser.address, door=Door.CONSOLE, grants=organiser.grants, organiser_id=organiser.id)


async def open_session(app: App, organiser_id: int, *, device: str) -> tuple[str, OrganiserSession]:
    """Open a session for an organiser whose identity is known; the cookie that shows it, and the session.

    Only for who has used a link or a code, and for the demo. Raises NotFound.
    """
    cookie, now = make_word(app.secret_octets(WORD_OCTETS)), app.clock()

    def work(tx: Connection) -> OrganiserSession:
        return begin_session(tx, organiser_id, cookie=cookie, device=device, now=now)

    return cookie, await app.database.write(work)


def begin_session(tx: Connection, organiser_id: int, *, cookie: str, device: str, now: datetime) -> OrganiserSession:
    """Open a session for whoever shows this cookie, within a transaction. Raises NotFound."""
    session = organiser_sessions.add(tx, organiser_id, cookie=cookie, device=device, now=now)
    actor = organiser_actor(session)
    audit_log.record(tx, actor, Act.SIGN_IN, subject=f"session {session.id}", after={"device": device}, now=now)
    return session


async def list_sessions(app: App, actor: Actor, organiser_id: int | None = None) -> list[OrganiserSession]:
    """An organiser's sessions that are not over, the last used first; with None all organisers', 200 at most.

    Others' sessions are for site owners. Raises NotPermitted and NotFound.
    """
    if organiser_id is None or organiser_id != actor.organiser_id:
        actor.require(Permission.MANAGE_SITE)
    now = app.clock()

    def work(tx: Connection) -> list[OrganiserSession]:
        if organiser_id is None:
            return organiser_sessions.list_all(tx, now, MOST_SESSIONS_SHOWN)
        return organiser_sessions.list_of(tx, organisers.get(tx, organiser_id), now)

    return await app.database.read(work)


async def revoke_session(app: App, actor: Actor, session_id: int) -> None:
    """End a session: its browser must sign in anew. Others' sessions are for site owners.

    Raises NotFound, also for others' sessions where the actor owns no site: they are not told which exist.
    """
    now = app.clock()

    def work(tx: Connection) -> None:
        session = organiser_sessions.get(tx, session_id)
        if session.organiser.id != actor.organiser_id and not actor.may(Permission.MANAGE_SITE):
            raise NotFound(f"there is no session {session_id}; it may have been signed out")
        organiser_sessions.remove(tx, session_id)
        subject, before = f"session {session_id}", {"organiser": session.organiser.address, "device": session.device}
        audit_log.record(tx, actor, Act.REVOKE_SESSION, subject=subject, before=before, now=now)

    await app.database.write(work)


async def sign_out(app: App, session: OrganiserSession) -> None:
    """End the session of this browser."""
    actor, now = organiser_actor(session), app.clock()

    def work(tx: Connection) -> None:
        if organiser_sessions.remove(tx, session.id):
            audit_log.record(tx, actor, Act.SIGN_OUT, subject=f"session {session.id}", now=now)

    await app.database.write(work)


async def sign_out_elsewhere(app: App, session: OrganiserSession) -> int:
    """End all other sessions of the organiser whose session this is; returns how many."""
    actor, organiser, now = organiser_actor(session), session.organiser, app.clock()

    def work(tx: Connection) -> int:
        ended = organiser_sessions.remove_all_of(tx, organiser.id, but=session.id)
        after = {"ended": ended}
        audit_log.record(tx, actor, Act.REVOKE_SESSION, subject=f"organiser {organiser.id}", after=after, now=now)
        return ended

    return await app.database.write(work)
