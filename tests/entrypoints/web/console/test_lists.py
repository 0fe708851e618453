"""Lists through the HTTP door."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from mailer.actions.accounts.show_audit_log import audit_page
from mailer.actions.lists.edit_list import set_list
from mailer.actions.lists.show_list import show_list
from mailer.app import App
from mailer.domain.accounts.role import Grant, Role
from tests.support.app_helpers import ADA, ADMIN, BEA, EMMA, ROSA, import_rows, launch_campaign, open_list
from tests.support.console_client import browser_of

NEW = {
    "name": "walks",
    "title": "Walks",
    "owner": ADA,
    "language": "en",
    "zone": "Europe/Berlin",
    "description": "On foot",
}


@pytest.fixture
async def ada(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """Owns the site."""
    async with await browser_of(app, ADA, Grant(role=Role.OWNER)) as browser:
        yield browser


async def post(browser: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Post the form of a page, with its token."""
    page = (await browser.get(path)).text
    (token,) = set(re.findall(r'name="form_token" value="([^"]+)"', page))
    headers = {"Sec-Fetch-Site": "same-origin"}
    return await browser.post(path, data={"form_token": token, **fields}, headers=headers)


async def test_an_empty_house_is_told_what_a_list_is_and_opens_one(app: App, ada: httpx.AsyncClient) -> None:
    assert "No list yet" in (await ada.get("/console/lists")).text

    answer = await post(ada, "/console/lists/_new", **NEW)

    assert answer.headers["location"] == "/console/lists/walks?done=list-added"
    page = (await ada.get(answer.headers["location"])).text
    assert "The list is open" in page
    assert "<h1><bdi>Walks</bdi></h1>" in page
    assert "walks-join@lists.example.org" in page
    assert "Europe/Berlin" in page
    assert "Walks" in (await ada.get("/console/lists")).text


async def test_a_refused_form_keeps_what_was_typed_and_names_each_field(app: App, ada: httpx.AsyncClient) -> None:
    answer = await post(ada, "/console/lists/_new", **NEW | {"name": "Über", "owner": "nobody", "zone": "Berlin"})

    assert answer.status_code == 422
    assert "3 things are missing or wrong" in answer.text
    assert re.findall(r'<li><a href="#(\w+)">', answer.text) == ["name", "owner", "zone"]
    assert 'value="Über"' in answer.text
    assert "No list yet" in (await ada.get("/console/lists")).text


async def test_a_name_that_is_taken_is_said_beside_the_name(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)

    answer = await post(ada, "/console/lists/_new", **NEW | {"name": "appeals"})

    assert answer.status_code == 422
    assert "There is a list of this name already." in answer.text
    assert re.findall(r'<li><a href="#(\w+)">', answer.text) == ["name"]


async def test_changing_a_list_is_in_the_audit_log_with_what_was_before(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)
    fields = {"title": "Appeals", "owner": ADA, "language": "en", "zone": "Asia/Tokyo", "needs_approval": "1"}
    limits = {"hard_after": "2", "soft_limit": "3", "postal_address": "The old barn\r\nSeedham", "reason": "You asked."}

    answer = await post(ada, "/console/lists/appeals/change", **fields | limits | {"testers": f"{EMMA}\r\n{BEA}\r\n"})

    assert answer.headers["location"] == "/console/lists/appeals?done=saved"
    page = (await ada.get("/console/lists/appeals")).text
    for words in ("Asia/Tokyo", "The old barn<br>Seedham", "You asked.", EMMA, BEA, "Another organiser"):
        assert words in page
    line = (await audit_page(app, ADMIN)).items[0]
    assert (line.act, line.actor, line.subject) == ("change list", ADA, "list appeals")
    assert (line.before or {})["zone"], (line.after or {})["zone"] == ("UTC", "Asia/Tokyo")
    assert (line.after or {})["testers"] == 2


async def test_a_limit_that_is_no_number_is_refused(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)

    answer = await post(ada, "/console/lists/appeals/change", **NEW | {"hard_after": "never", "soft_limit": "0"})

    assert answer.status_code == 422
    assert re.findall(r'<li><a href="#(\w+)">', answer.text) == ["hard_after", "soft_limit"]


async def test_segments_are_lines_of_the_form_and_one_that_is_taken_out_is_gone(
    app: App, ada: httpx.AsyncClient
) -> None:
    await open_list(app)
    await set_list(app, ADMIN, "appeals", segments={"old": "age|int > 60"})
    change, limits = "/console/lists/appeals/change", {"hard_after": "1", "soft_limit": "3"}
    fields = NEW | limits | {"segments": "rhine: town == 'Köln' or town == 'Bonn'\r\n\r\nknown :name\r\n"}

    before = (await ada.get(change)).text
    saved = await post(ada, change, **fields)
    shown = (await ada.get("/console/lists/appeals")).text
    untouched = await post(ada, change, **NEW | limits)
    kept = (await show_list(app, ADMIN, "appeals")).mailing_list.segments

    assert "old: age|int &gt; 60</textarea>" in before
    assert saved.headers["location"] == untouched.headers["location"] == "/console/lists/appeals?done=saved"
    assert "town == &#39;Köln&#39; or town == &#39;Bonn&#39;</bdi>" in shown
    assert kept == {"known": "name", "rhine": "town == 'Köln' or town == 'Bonn'"}


@pytest.mark.parametrize("line", ["rhine", "rhine: town ==", "Rhine: town", ": town", "rhine: segment.x", "rhine:"])
async def test_a_segment_that_cannot_be_used_is_told_beside_the_lines(
    app: App, ada: httpx.AsyncClient, line: str
) -> None:
    await open_list(app)
    fields = NEW | {"hard_after": "1", "soft_limit": "3", "segments": f"known: name\r\n{line}"}

    answer = await post(ada, "/console/lists/appeals/change", **fields)

    assert answer.status_code == 422
    assert re.findall(r'<li><a href="#(\w+)">', answer.text) == ["segments"]
    assert f"known: name\n{line}</textarea>" in answer.text
    assert (await show_list(app, ADMIN, "appeals")).mailing_list.segments == {}


async def test_a_list_shows_its_people_in_numbers_and_its_last_letters(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
    await import_rows(app, f"{BEA},Bea,en", invite=True)
    await launch_campaign(app)

    page = (await ada.get("/console/lists/appeals")).text

    assert "<dt>confirmed</dt><dd>2</dd>" in page
    assert "<dt>asked, not confirmed</dt><dd>1</dd>" in page
    assert "Come to the harvest forum" in page


async def test_who_may_not_change_a_list_sees_no_form_and_no_testers(app: App) -> None:
    await open_list(app)
    await set_list(app, ADMIN, "appeals", testers=[EMMA])
    async with await browser_of(app, BEA, Grant(role=Role.SENDER, mailing_list_id=1)) as bea:
        page = (await bea.get("/console/lists/appeals")).text

        assert "Change the list" not in page
        assert EMMA not in page
        assert "1 tester" in page
        assert (await bea.get("/console/lists/appeals/change")).status_code == 403
        assert (await bea.get("/console/lists/_new")).status_code == 403
        for nowhere in ("/console/lists/nowhere", "/console/lists/a%00", "/console/lists?after=%00"):
            assert (await bea.get(nowhere)).status_code == 404


async def test_lists_of_others_are_neither_listed_nor_shown(app: App) -> None:
    await open_list(app)
    await open_list(app, "walks")
    async with await browser_of(app, BEA, Grant(role=Role.OWNER, mailing_list_id=2)) as bea:
        assert "Open Appeals" not in (await bea.get("/console/lists")).text
        assert (await bea.get("/console/lists/appeals")).status_code == 403
        assert (await bea.get("/console/lists/walks")).status_code == 200
