"""Organisers, sessions and one's own page, through the pages."""

from __future__ import annotations

import re

from mailer.actions.accounts.organisers import give_role
from mailer.actions.accounts.sessions import find_session, list_sessions, open_session
from mailer.actions.accounts.show_organisers import show_organisers
from mailer.app import App
from mailer.domain.accounts.role import Role
from tests.support.app_helpers import ADA, ADMIN, BEA, EMMA, MALLORY
from tests.support.console_client import ConsoleClient

SETTINGS = "/console/settings"


async def roles(app: App) -> dict[str, list[tuple[str, str | None, str | None]]]:
    views = await show_organisers(app, ADMIN)
    return {one.organiser.address: [(role.role, role.list_name, role.language) for role in one.roles] for one in views}


async def test_a_site_owner_gives_and_takes_roles_anywhere(app: App, ada: ConsoleClient) -> None:
    page = f"{SETTINGS}/organisers"
    for role, place, language in (("editor", "appeals", "tr"), ("translator", "", "tr"), ("sender", "appeals", "")):
        form = {"address": BEA, "name": "Bea", "role": role, "list": place, "language": language, "speaks": "de"}
        given = await ada.send_form(f"{page}/give", **form)
        assert given.headers["location"] == f"{page}?done=role-given"
    assert (await roles(app))[BEA] == [("translator", None, "tr"), ("sender", "appeals", None)]
    assert "Bea" in (await ada.get(page)).text

    await ada.send_form(f"{page}/take", address=BEA, role="translator", language="tr", list="")
    taken = await ada.send_form(f"{page}/take", address=BEA, role="sender", list="appeals", shown="appeals")

    assert taken.headers["location"] == f"{page}?done=role-taken&list=appeals"
    assert BEA not in await roles(app)


async def test_a_list_owner_sees_and_changes_her_list_only(app: App, emma: ConsoleClient) -> None:
    await give_role(app, ADMIN, BEA, Role.SENDER, list_name="news")
    page = await emma.get(f"{SETTINGS}/organisers")

    assert BEA not in page.text
    assert "the whole site</option>" not in page.text
    assert (await emma.get(f"{SETTINGS}/organisers?list=news")).status_code == 403
    assert (
        await emma.send_form(f"{SETTINGS}/organisers/give", address=BEA, role="viewer", list="appeals")
    ).status_code == 303
    for place in ("news", ""):
        refused = await emma.send_form(f"{SETTINGS}/organisers/give", address=MALLORY, role="owner", list=place)
        assert refused.status_code == 403
    assert MALLORY not in await roles(app)


async def test_what_cannot_be_is_said_beside_its_field(app: App, ada: ConsoleClient) -> None:
    page = f"{SETTINGS}/organisers"
    for form, field in (
        ({"address": "nobody", "role": "viewer", "list": "appeals"}, "address"),
        ({"address": BEA, "role": "translator", "list": "appeals", "language": "?"}, "name"),
        ({"address": ADA, "role": "viewer", "list": ""}, "role"),
    ):
        refused = await ada.send_form(f"{page}/give", **form)
        assert refused.status_code == 422
        assert f'id="{field}-problem"' in refused.text
    refused = await ada.send_form(f"{page}/take", address=ADA, role="owner", list="")
    assert "only owner of the whole site" in refused.text
    assert (await ada.send_form(f"{page}/give", address=BEA, role="queen", list="")).status_code == 404
    assert await roles(app) == {ADA: [("owner", None, None)]}


async def test_ones_own_page_changes_how_hours_are_shown_and_shows_roles(app: App, ada: ConsoleClient) -> None:
    saved = await ada.send_form("/console/me", name="Ada L.", language="fr", zone="Europe/Istanbul")
    assert saved.headers["location"] == "/console/me?done=saved"

    page = (await ada.get("/console/me")).text

    assert "Ada L." in page
    assert "stanbul" in page
    assert "the whole site" in page
    assert '<option value="fr" selected' in page
    for field, bad in (("zone", "Berlin"), ("name", "A" * 101)):
        form = {"name": "Ada", "language": "en", "zone": "UTC"} | {field: bad}
        refused = await ada.send_form("/console/me", **form)
        assert refused.status_code == 422
        assert f'id="{field}-problem"' in refused.text


async def test_browsers_are_signed_out_one_by_one_or_all_others(app: App, ada: ConsoleClient) -> None:
    (here,) = await list_sessions(app, ADMIN)
    cookies = [(await open_session(app, here.organiser.id, device=f"Safari {number}"))[0] for number in range(3)]
    page = (await ada.get("/console/me")).text
    assert "Safari 2" in page
    assert "Sign out 3 other browsers" in page

    safari = next(one for one in await list_sessions(app, ADMIN) if one.device == "Safari 0")
    ended = await ada.send_form("/console/me/revoke", session_id=str(safari.id))
    assert ended.headers["location"] == "/console/me?done=session-ended"
    assert [await find_session(app, one) is None for one in cookies] == [True, False, False]
    await ada.send_form("/console/me/sign-out-elsewhere")

    assert await list_sessions(app, ADMIN) == [here]


async def test_others_sessions_are_for_site_owners(app: App, ada: ConsoleClient, emma: ConsoleClient) -> None:
    sessions = {one.organiser.address: one.id for one in await list_sessions(app, ADMIN)}
    assert (await emma.get(f"{SETTINGS}/sessions")).status_code == 403
    for session_id in (str(sessions[ADA]), "999", "", "x", "9" * 30):
        assert (await emma.send_form("/console/me/revoke", session_id=session_id)).status_code == 404
    assert EMMA in (await ada.get(f"{SETTINGS}/sessions")).text

    await ada.send_form("/console/me/revoke", session_id=str(sessions[EMMA]), back="settings")

    assert (await emma.get("/console")).status_code == 303


async def test_names_and_devices_of_strangers_are_shown_as_text(app: App, ada: ConsoleClient) -> None:
    bea = await give_role(app, ADMIN, BEA, Role.VIEWER, name='<script>"Bea"</script>')
    await open_session(app, bea.id, device="<b>x</b>")

    for page in ("organisers", "sessions", "audit"):
        text = (await ada.get(f"{SETTINGS}/{page}")).text
        assert '<script>"' not in text
        assert "<b>x</b>" not in text
        assert re.search("&lt;(script|b)&gt;", text) or page == "audit"
