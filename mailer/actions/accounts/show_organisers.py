"""Show organisers with the names of their lists, their last use and what became of their last letter to sign in."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.organiser import Organiser
from mailer.domain.accounts.role import Permission
from mailer.domain.accounts.sign_in import sign_in_cause
from mailer.domain.mailing_list import MailingList
from mailer.domain.organiser_view import OrganiserView, RoleView, SignInLetterView
from mailer.store import mailing_lists
from mailer.store.accounts import organiser_sessions, organisers, sign_ins
from mailer.store.queue import deliveries


async def show_organisers(app: App, actor: Actor, list_name: str | None = None) -> list[OrganiserView]:
    """Those with a role on a list, of the whole site included, by address; with None all.

    For owners of the list, or of the site. Of an organiser only roles on the list and of the whole site are shown.
    Raises NotPermitted and NotFound.
    """
    now = app.clock()

    def work(tx: Connection) -> list[OrganiserView]:
        names = {one.id: one.name for one in mailing_lists.list_all(tx)}
        list_id = None if list_name is None else mailing_lists.get_by_name(tx, list_name).id
        actor.require(Permission.MANAGE_SITE if list_id is None else Permission.MANAGE_LIST, list_id)
        last_used = organiser_sessions.last_used(tx, now)
        letters = _last_letters(tx)
        found = []
        for one in organisers.list_all(tx):
            roles = _roles(actor, one, names, list_id)
            if roles:
                found.append(
                    OrganiserView(
                        organiser=one, roles=roles, last_used_at=last_used.get(one.id), letter=letters.get(one.id)
                    )
                )
        return found

    return await app.database.read(work)


async def show_own_roles(app: App, actor: Actor) -> tuple[RoleView, ...]:
    """The roles of the organiser who acts; none for a command. Raises NotFound."""
    own_id = actor.organiser_id
    if own_id is None:
        return ()

    def work(tx: Connection) -> tuple[RoleView, ...]:
        names = {one.id: one.name for one in mailing_lists.list_all(tx)}
        return _roles(actor, organisers.get(tx, own_id), names, None)

    return await app.database.read(work)


async def lists_to_manage(app: App, actor: Actor) -> list[MailingList]:
    """The lists whose organisers the actor may change, by name."""
    found = await app.database.read(mailing_lists.list_all)
    return [one for one in found if actor.may(Permission.MANAGE_LIST, one.id)]


def _roles(actor: Actor, organiser: Organiser, names: dict[int, str], list_id: int | None) -> tuple[RoleView, ...]:
    return tuple(
        RoleView(
            role=grant.role,
            list_name=None if grant.mailing_list_id is None else names.get(grant.mailing_list_id, "?"),
            language=grant.language,
            may_be_taken=actor.may(Permission.MANAGE_SITE)
            if grant.mailing_list_id is None
            else actor.may(Permission.MANAGE_LIST, grant.mailing_list_id),
        )
        for grant in organiser.grants
        if list_id is None or grant.mailing_list_id in (None, list_id)
    )


def _last_letters(tx: Connection) -> dict[int, SignInLetterView]:
    newest = sign_ins.newest_letters(tx)
    causes = {sign_in_cause(number): organiser_id for organiser_id, number in newest.items()}
    return {
        causes[one.cause]: SignInLetterView(asked_at=one.queued_at, state=one.state, reply=one.reply)
        for one in deliveries.list_outcomes(tx, list(causes))
    }
