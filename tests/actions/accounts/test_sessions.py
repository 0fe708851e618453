"""Sessions: found by their cookie for fourteen days of use, and ended by whoever may."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from mailer.actions.accounts.sessions import (
    find_session,
    list_sessions,
    open_session,
    organiser_actor,
    revoke_session,
    sign_out,
    sign_out_elsewhere,
)
from mailer.app import App
from mailer.domain.accounts.actor import Door
from mailer.domain.accounts.organiser import SITE_OWNER
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.address import parse_address
from mailer.errors import NotFound, NotPermitted
from mailer.store.accounts import audit_log, organisers
from mailer.store.accounts.organiser_tables import organiser_session
from tests.support.app_helpers import ADA, ADMIN, EMMA, Clock


async def add_organiser(app: App, address: str, *grants: Grant) -> int:
    def work(tx: Connection) -> int:
        found, _ = organisers.add(
            tx, parse_address(address), name=None, language="en", zone="Europe/Berlin", now=app.clock()
        )
        for grant in grants:
            organisers.add_grant(tx, found, grant)
        return found

    return await app.database.write(work)


async def test_a_cookie_finds_its_session_and_acts_with_her_roles(app: App) -> None:
    ada = await add_organiser(app, ADA, SITE_OWNER, Grant(role=Role.TRANSLATOR, mailing_list_id=3, language="tr"))
    cookie, opened = await open_session(app, ada, device="Firefox on Linux")

    found = await find_session(app, cookie)

    assert found == opened
    actor = organiser_actor(opened)
    assert (actor.name, actor.door, actor.organiser_id) == (ADA, Door.CONSOLE, ada)
    assert set(actor.grants) == {SITE_OWNER, Grant(role=Role.TRANSLATOR, mailing_list_id=3, language="tr")}
    assert opened.organiser.is_site_owner


async def test_only_the_hash_of_a_cookie_is_stored(app: App) -> None:
    cookie, _ = await open_session(app, await add_organiser(app, ADA), device="Firefox on Linux")

    rows = await app.database.read(lambda tx: tx.execute(select(organiser_session)).all())

    assert cookie not in str(rows)


@pytest.mark.parametrize("cookie", [None, "", "x", "x" * 43, "é" * 43, "a" * 42 + "\n", "a" * 10_000])
async def test_no_other_cookie_finds_one(app: App, cookie: str | None) -> None:
    await open_session(app, await add_organiser(app, ADA), device="Firefox on Linux")

    assert await find_session(app, cookie) is None


async def test_a_session_lasts_fourteen_days_from_its_last_use(app: App, clock: Clock) -> None:
    cookie, _ = await open_session(app, await add_organiser(app, ADA), device="Firefox on Linux")

    for _ in range(3):
        clock.advance(days=13, hours=23)
        assert await find_session(app, cookie) is not None
    clock.advance(days=14)

    assert await find_session(app, cookie) is None


async def test_a_use_is_recorded_once_a_minute(app: App, clock: Clock) -> None:
    cookie, opened = await open_session(app, await add_organiser(app, ADA), device="Firefox on Linux")

    uses = []
    for _ in range(4):
        clock.advance(seconds=25)
        await find_session(app, cookie)
        (session,) = await list_sessions(app, ADMIN, opened.organiser.id)
        uses.append((session.used_at - opened.used_at).total_seconds())

    assert uses == [0, 0, 75, 75]


async def test_one_sees_and_ends_ones_own_sessions_and_a_site_owner_everybodys(app: App) -> None:
    ada, emma = await add_organiser(app, ADA, SITE_OWNER), await add_organiser(app, EMMA)
    _, of_ada = await open_session(app, ada, device="Firefox on Linux")
    cookie, of_emma = await open_session(app, emma, device="Safari on iPhone")
    _, at_home = await open_session(app, emma, device="Edge on Windows")

    assert [one.id for one in await list_sessions(app, organiser_actor(of_emma), emma)] == [at_home.id, of_emma.id]
    with pytest.raises(NotPermitted):
        await list_sessions(app, organiser_actor(of_emma), ada)
    with pytest.raises(NotPermitted):
        await list_sessions(app, organiser_actor(of_emma))
    with pytest.raises(NotFound):
        await revoke_session(app, organiser_actor(of_emma), of_ada.id)
    await revoke_session(app, organiser_actor(of_emma), at_home.id)
    await revoke_session(app, organiser_actor(of_ada), of_emma.id)

    assert [one.id for one in await list_sessions(app, ADMIN)] == [of_ada.id]
    assert await find_session(app, cookie) is None
    with pytest.raises(NotFound):
        await revoke_session(app, ADMIN, of_emma.id)


async def test_signing_out_ends_this_session_or_all_others(app: App) -> None:
    ada = await add_organiser(app, ADA, SITE_OWNER)
    opened = [await open_session(app, ada, device=f"browser {number}") for number in range(3)]

    assert await sign_out_elsewhere(app, opened[1][1]) == 2
    assert [await find_session(app, cookie) is None for cookie, _ in opened] == [True, False, True]
    await sign_out(app, opened[1][1])

    assert await list_sessions(app, ADMIN, ada) == []
    lines = await app.database.read(lambda tx: audit_log.list_page(tx).items)
    assert [(line.act, line.actor) for line in reversed(lines)] == [
        *[("sign in", ADA)] * 3,
        ("revoke session", ADA),
        ("sign out", ADA),
    ]


async def test_a_removed_organiser_is_signed_out(app: App) -> None:
    ada = await add_organiser(app, ADA, SITE_OWNER)
    cookie, _ = await open_session(app, ada, device="Firefox on Linux")

    await app.database.write(organisers.remove, ada)

    assert await find_session(app, cookie) is None
