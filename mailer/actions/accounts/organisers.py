"""Organisers: add them, give and take roles, remove them. One owner of the whole site always stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from mailer.actions.accounts.organiser_fields import check_language, check_name, check_organiser_address, check_zone
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.organiser import SITE_OWNER, Organiser
from mailer.domain.accounts.role import Grant, Permission, Role
from mailer.domain.address import parse_address
from mailer.errors import NotFound, NotPermitted, OrganiserRefused, WrongState
from mailer.store import mailing_lists
from mailer.store.accounts import audit_log, organiser_sessions, organisers


async def give_role(
    app: App,
    actor: Actor,
    address: str,
    role: Role,
    *,
    list_name: str | None = None,
    language: str | None = None,
    name: str | None = None,
    speaks: str = "en",
    zone: str | None = None,
) -> Organiser:
    """Give a role on a list, or with no `list_name` on the whole site; whoever has no role yet becomes an organiser.

    It replaces another role that the organiser has there, except that a translator's, one for each `language`, stands
    beside it. `name`, `speaks` (their language) and `zone` (else the list's) are for a new organiser. Site roles are
    given by site owners, a list's by its owners. Raises NotPermitted, NotFound for the list, AddressRefused,
    TimeRefused, OrganiserRefused, and WrongState.
    """
    email = check_organiser_address(address, app.site.domain)
    translates = _check_translated(role, language)
    tag, full_name, zone_name = check_language(speaks), check_name(name), check_zone(zone) if zone else None
    now = app.clock()

    def work(tx: Connection) -> Organiser:
        mailing_list = mailing_lists.get_by_name(tx, list_name) if list_name is not None else None
        list_id = mailing_list.id if mailing_list else None
        _require(actor, list_id)
        organisers.lock_roles(tx)
        used_zone = zone_name or (mailing_list.zone if mailing_list else "UTC")
        organiser_id, is_new = organisers.add(tx, email, name=full_name, language=tag, zone=used_zone, now=now)
        _give(tx, actor, organiser_id, Grant(role=role, mailing_list_id=list_id, language=translates), is_new, now)
        return organisers.get(tx, organiser_id)

    return await app.database.write(work)


async def take_role(
    app: App, actor: Actor, address: str, role: Role, *, list_name: str | None = None, language: str | None = None
) -> Organiser | None:
    """Take a role away; returns the organiser, or None if that was their last role: then they are removed.

    Raises NotPermitted, NotFound where there is no such list or organiser or they have no such role, and
    WrongState where the site would lose its only owner.
    """
    translates, now = _check_translated(role, language), app.clock()

    def work(tx: Connection) -> Organiser | None:
        list_id = mailing_lists.get_by_name(tx, list_name).id if list_name is not None else None
        _require(actor, list_id)
        organisers.lock_roles(tx)
        organiser = _get_by_address(tx, address)
        grant = Grant(role=role, mailing_list_id=list_id, language=translates)
        if not organisers.remove_grant(tx, organiser.id, grant):
            raise NotFound(
                f"{organiser.address} is not {describe_grant(grant)} {'there' if list_id else 'of the site'}"
            )
        audit_log.record(
            tx,
            actor,
            Act.TAKE_ROLE,
            subject=f"organiser {organiser.id}",
            mailing_list_id=list_id,
            before={"address": organiser.address, "roles": [describe_grant(grant)]},
            now=now,
        )
        if grant == SITE_OWNER:
            _check_site_owner_left(tx, organiser.address)
        left = tuple(one for one in organiser.grants if one != grant)
        if left:
            return replace(organiser, grants=left)
        organisers.remove(tx, organiser.id)
        return None

    return await app.database.write(work)


async def remove_organiser(app: App, actor: Actor, address: str) -> None:
    """Take all roles of an organiser away and sign them out everywhere; only for site owners.

    Raises NotPermitted, NotFound, and WrongState where the site would lose its only owner.
    """
    actor.require(Permission.MANAGE_SITE)
    now = app.clock()

    def work(tx: Connection) -> None:
        organisers.lock_roles(tx)
        organiser = _get_by_address(tx, address)
        sessions = len(organiser_sessions.list_of(tx, organiser, now))
        roles = [describe_grant(one) for one in organiser.grants]
        organisers.remove(tx, organiser.id)
        before = {"address": organiser.address, "roles": roles, "sessions": sessions}
        audit_log.record(tx, actor, Act.REMOVE_ORGANISER, subject=f"organiser {organiser.id}", before=before, now=now)
        if organiser.is_site_owner:
            _check_site_owner_left(tx, organiser.address)

    await app.database.write(work)


async def change_profile(app: App, actor: Actor, *, name: str | None, speaks: str, zone: str) -> Organiser:
    """Set the acting organiser's own name, language and time zone.

    Raises OrganiserRefused, TimeRefused for the zone, and NotPermitted where no organiser acts.
    """
    full_name, tag, zone_name, now = check_name(name), check_language(speaks), check_zone(zone), app.clock()
    if actor.organiser_id is None:
        raise NotPermitted(f"{actor.name} is no organiser and has no language and zone here")
    own_id = actor.organiser_id

    def work(tx: Connection) -> Organiser:
        before = organisers.get(tx, own_id)
        organisers.change(tx, own_id, name=full_name, language=tag, zone=zone_name)
        after = organisers.get(tx, own_id)
        changed = [field for field in ("name", "language", "zone") if getattr(before, field) != getattr(after, field)]
        if changed:
            audit_log.record(
                tx,
                actor,
                Act.CHANGE_ORGANISER,
                subject=f"organiser {own_id}",
                before={field: getattr(before, field) for field in changed},
                after={field: getattr(after, field) for field in changed},
                now=now,
            )
        return after

    return await app.database.write(work)


def describe_grant(grant: Grant) -> str:
    """The role, and a translator's language: `translator (tr)`."""
    return f"{grant.role} ({grant.language})" if grant.language else str(grant.role)


def _give(tx: Connection, actor: Actor, organiser_id: int, grant: Grant, is_new: bool, now: datetime) -> None:
    organiser = organisers.get(tx, organiser_id)
    replaced = [one for one in organiser.grants if _replaces(grant, one)]
    for one in replaced:
        organisers.remove_grant(tx, organiser_id, one)
    if not organisers.add_grant(tx, organiser_id, grant) and not replaced:
        return
    audit_log.record(
        tx,
        actor,
        Act.ADD_ORGANISER if is_new else Act.GIVE_ROLE,
        subject=f"organiser {organiser_id}",
        mailing_list_id=grant.mailing_list_id,
        before={"roles": [describe_grant(one) for one in replaced]} if replaced else None,
        after={"address": organiser.address, "roles": [describe_grant(grant)]},
        now=now,
    )
    if SITE_OWNER in replaced:
        _check_site_owner_left(tx, organiser.address)


def _require(actor: Actor, mailing_list_id: int | None) -> None:
    if mailing_list_id is None:
        actor.require(Permission.MANAGE_SITE)
    else:
        actor.require(Permission.MANAGE_LIST, mailing_list_id)


def _check_translated(role: Role, language: str | None) -> str | None:
    if role is not Role.TRANSLATOR:
        if language is not None:
            raise OrganiserRefused(f"a language is for translators; a role of {role} is for all languages")
        return None
    if language is None:
        raise OrganiserRefused("a translator needs the language of the texts, such as tr")
    return check_language(language)


def _replaces(given: Grant, other: Grant) -> bool:
    """Whether the given role takes another's place: one on the ladder from viewer to owner does, on the same list."""
    ladder = Role.TRANSLATOR not in (given.role, other.role)
    return ladder and given.mailing_list_id == other.mailing_list_id and given != other


def _get_by_address(tx: Connection, address: str) -> Organiser:
    if (organiser := organisers.find_by_address(tx, parse_address(address).key)) is None:
        raise NotFound(f"{address} is no organiser here")
    return organiser


def _check_site_owner_left(tx: Connection, address: str) -> None:
    """Raise WrongState, which takes back what this transaction changed, where no owner of the site is left."""
    if organisers.count_site_owners(tx) == 0:
        raise WrongState(f"{address} is the only owner of the whole site; make another one first")
