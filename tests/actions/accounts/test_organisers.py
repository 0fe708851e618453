"""Organisers: who gives and takes which roles, and that the site keeps an owner."""

from __future__ import annotations

import asyncio

import pytest

from mailer.actions.accounts.organisers import (
    change_profile,
    give_role,
    remove_organiser,
    take_role,
)
from mailer.actions.accounts.sessions import find_session, open_session
from mailer.actions.accounts.show_organisers import show_organisers
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.organiser import SITE_OWNER, Organiser
from mailer.domain.accounts.role import Grant, Role
from mailer.errors import AddressRefused, MailerError, NotFound, NotPermitted, OrganiserRefused, TimeRefused, WrongState
from mailer.store.accounts import audit_log
from tests.support.app_helpers import ADA, ADMIN, BEA, DOMAIN, EMMA, MALLORY, on_postgresql, open_list


def as_actor(organiser: Organiser) -> Actor:
    return Actor(name=organiser.address, door=Door.CONSOLE, grants=organiser.grants, organiser_id=organiser.id)


async def all_organisers(app: App) -> list[Organiser]:
    return [one.organiser for one in await show_organisers(app, ADMIN)]


async def roles(app: App, address: str) -> set[Grant]:
    found = {one.address: one for one in await all_organisers(app)}
    return set(found[address].grants) if address in found else set()


async def test_a_role_makes_an_organiser_who_speaks_a_language_in_a_zone(app: App) -> None:
    ada = await give_role(app, ADMIN, ADA, Role.OWNER, name=" Ada ", speaks="tr", zone="Europe/Istanbul")

    assert (ada.address, ada.name, ada.language, ada.zone) == (ADA, "Ada", "tr", "Europe/Istanbul")
    assert ada.grants == (SITE_OWNER,)
    assert await all_organisers(app) == [ada]


async def test_one_role_of_the_ladder_is_held_on_a_list_and_any_number_of_languages(app: App) -> None:
    appeals = await open_list(app)
    for role in (Role.VIEWER, Role.SENDER, Role.EDITOR):
        await give_role(app, ADMIN, EMMA, role, list_name="appeals")
    for language in ("tr", "DE", "tr"):
        await give_role(app, ADMIN, EMMA, Role.TRANSLATOR, list_name="appeals", language=language)
    await give_role(app, ADMIN, EMMA, Role.VIEWER)

    assert await roles(app, EMMA) == {
        Grant(role=Role.EDITOR, mailing_list_id=appeals.id),
        Grant(role=Role.TRANSLATOR, mailing_list_id=appeals.id, language="tr"),
        Grant(role=Role.TRANSLATOR, mailing_list_id=appeals.id, language="de"),
        Grant(role=Role.VIEWER),
    }


async def test_a_lists_owner_gives_roles_on_that_list_and_nowhere_else(app: App) -> None:
    await open_list(app)
    await open_list(app, "news")
    emma = as_actor(await give_role(app, ADMIN, EMMA, Role.OWNER, list_name="appeals"))

    await give_role(app, emma, BEA, Role.SENDER, list_name="appeals")
    for list_name in ("news", None):
        with pytest.raises(NotPermitted):
            await give_role(app, emma, MALLORY, Role.VIEWER, list_name=list_name)
        with pytest.raises(NotPermitted):
            await take_role(app, emma, BEA, Role.SENDER, list_name=list_name)
        with pytest.raises(NotPermitted):
            await show_organisers(app, emma, list_name)
    with pytest.raises(NotPermitted):
        await remove_organiser(app, emma, BEA)

    assert [one.organiser.address for one in await show_organisers(app, emma, "appeals")] == [BEA, EMMA]
    assert await take_role(app, emma, BEA, Role.SENDER, list_name="appeals") is None


async def test_a_list_shows_the_roles_on_it_and_on_the_whole_site_only(app: App) -> None:
    await open_list(app)
    await open_list(app, "news")
    await give_role(app, ADMIN, ADA, Role.OWNER)
    for list_name in ("appeals", "news"):
        await give_role(app, ADMIN, EMMA, Role.SENDER, list_name=list_name)
    await give_role(app, ADMIN, BEA, Role.SENDER, list_name="news")

    owner = as_actor(await give_role(app, ADMIN, EMMA, Role.OWNER, list_name="appeals"))
    found = await show_organisers(app, owner, "appeals")

    assert [
        (one.organiser.address, [(role.role, role.list_name, role.may_be_taken) for role in one.roles]) for one in found
    ] == [
        (ADA, [("owner", None, False)]),
        (EMMA, [("owner", "appeals", True)]),
    ]


async def test_the_only_owner_of_the_site_stays(app: App) -> None:
    await open_list(app)
    ada = as_actor(await give_role(app, ADMIN, ADA, Role.OWNER))
    await give_role(app, ADMIN, EMMA, Role.OWNER, list_name="appeals")

    for refused in (
        remove_organiser(app, ada, ADA),
        take_role(app, ada, ADA, Role.OWNER),
        give_role(app, ada, ADA, Role.SENDER),
    ):
        with pytest.raises(WrongState, match="only owner"):
            await refused
    assert await roles(app, ADA) == {SITE_OWNER}

    await give_role(app, ada, BEA, Role.OWNER)
    await give_role(app, ada, ADA, Role.VIEWER)
    assert await roles(app, ADA) == {Grant(role=Role.VIEWER)}


@on_postgresql
async def test_two_owners_who_remove_each_other_at_once_leave_one(app: App) -> None:
    for _ in range(10):
        ada, bea = [as_actor(await give_role(app, ADMIN, one, Role.OWNER)) for one in (ADA, BEA)]
        results = await asyncio.gather(
            remove_organiser(app, ada, BEA), take_role(app, bea, ADA, Role.OWNER), return_exceptions=True
        )

        assert sum(isinstance(one, WrongState) for one in results) == 1, results
        assert len(await all_organisers(app)) == 1


async def test_who_loses_the_last_role_is_removed_and_signed_out(app: App) -> None:
    await open_list(app)
    emma = await give_role(app, ADMIN, EMMA, Role.EDITOR, list_name="appeals")
    cookie, _ = await open_session(app, emma.id, device="Firefox on Linux")

    assert await take_role(app, ADMIN, EMMA, Role.EDITOR, list_name="appeals") is None

    assert await find_session(app, cookie) is None
    assert await all_organisers(app) == []


async def test_a_changed_role_counts_in_sessions_that_are_open(app: App) -> None:
    emma = await give_role(app, ADMIN, EMMA, Role.EDITOR)
    cookie, _ = await open_session(app, emma.id, device="Firefox on Linux")

    await give_role(app, ADMIN, EMMA, Role.VIEWER)

    session = await find_session(app, cookie)
    assert session is not None
    assert session.organiser.grants == (Grant(role=Role.VIEWER),)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"address": "nobody"}, AddressRefused),
        ({"address": f"ada@{DOMAIN}"}, AddressRefused),
        ({"role": Role.TRANSLATOR}, OrganiserRefused),
        ({"role": Role.TRANSLATOR, "language": "not a tag"}, OrganiserRefused),
        ({"role": Role.EDITOR, "language": "tr"}, OrganiserRefused),
        ({"speaks": "?"}, OrganiserRefused),
        ({"zone": "Mars/Olympus"}, TimeRefused),
        ({"name": "Ada\r\nBcc: x"}, OrganiserRefused),
        ({"name": "A" * 101}, OrganiserRefused),
        ({"list_name": "nowhere"}, NotFound),
    ],
)
async def test_what_cannot_be_is_refused_and_nobody_is_added(
    app: App, arguments: dict[str, object], error: type[MailerError]
) -> None:
    given: dict[str, object] = {"address": ADA, "role": Role.OWNER} | arguments

    with pytest.raises(error):
        await give_role(app, ADMIN, given.pop("address"), given.pop("role"), **given)  # type: ignore[arg-type]

    assert await all_organisers(app) == []


async def test_a_role_that_nobody_has_cannot_be_taken(app: App) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER)

    for address, role in ((ADA, Role.VIEWER), (MALLORY, Role.OWNER)):
        with pytest.raises(NotFound):
            await take_role(app, ADMIN, address, role)
    with pytest.raises(NotFound):
        await remove_organiser(app, ADMIN, MALLORY)


async def test_organisers_change_their_own_name_language_and_zone(app: App) -> None:
    emma = as_actor(await give_role(app, ADMIN, EMMA, Role.VIEWER))

    changed = await change_profile(app, emma, name="Emma", speaks="de", zone="Europe/Berlin")

    assert (changed.name, changed.language, changed.zone) == ("Emma", "de", "Europe/Berlin")
    with pytest.raises(NotPermitted):
        await change_profile(app, ADMIN, name="Ada", speaks="de", zone="Europe/Berlin")
    with pytest.raises(TimeRefused):
        await change_profile(app, emma, name="Emma", speaks="de", zone="Berlin")


async def test_each_change_is_in_the_audit_log(app: App) -> None:
    appeals = await open_list(app)
    emma = await give_role(app, ADMIN, EMMA, Role.VIEWER, list_name="appeals")
    await give_role(app, ADMIN, EMMA, Role.VIEWER, list_name="appeals")
    await give_role(app, ADMIN, EMMA, Role.EDITOR, list_name="appeals")
    await give_role(app, ADMIN, EMMA, Role.TRANSLATOR, language="tr")
    await take_role(app, ADMIN, EMMA, Role.TRANSLATOR, language="tr")
    await remove_organiser(app, ADMIN, EMMA)

    lines = await app.database.read(lambda tx: audit_log.list_page(tx).items)

    of_emma = [one for one in reversed(lines) if one.subject == f"organiser {emma.id}"]
    assert [(one.act, one.mailing_list_id, one.before, one.after) for one in of_emma] == [
        ("add organiser", appeals.id, None, {"address": EMMA, "roles": ["viewer"]}),
        ("give role", appeals.id, {"roles": ["viewer"]}, {"address": EMMA, "roles": ["editor"]}),
        ("give role", None, None, {"address": EMMA, "roles": ["translator (tr)"]}),
        ("take role", None, {"address": EMMA, "roles": ["translator (tr)"]}, None),
        ("remove organiser", None, {"address": EMMA, "roles": ["editor"], "sessions": 0}, None),
    ]
