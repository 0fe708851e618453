"""Subscribers through the HTTP door: numbers, the search, one person."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from mailer.app import App
from mailer.domain.accounts.role import Grant, Role
from tests.support.app_helpers import ADA, BEA, EMMA, ROSA, import_rows, open_list
from tests.support.console_client import browser_of

LAYLA = "layla@example.org"


@pytest.fixture
async def people(app: App) -> None:
    """Rosa and Layla are on one list, Emma on another."""
    await open_list(app)
    await open_list(app, "walks")
    await import_rows(app, f"{ROSA},Rosa Lindgren,en", f"{LAYLA},ليلى,")
    await import_rows(app, f"{EMMA},Emma,tr", list_name="walks")


@pytest.fixture
async def ada(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """Owns the site."""
    async with await browser_of(app, ADA, Grant(role=Role.OWNER)) as browser:
        yield browser


async def find(browser: httpx.AsyncClient, text: str) -> list[str]:
    """Whom a search shows."""
    page = (await browser.get("/console/subscribers", params={"q": text})).text
    return [one for one in (ROSA, LAYLA, EMMA) if one in page.partition("<table")[2]]


async def test_an_empty_house_is_told_how_people_come(app: App, ada: httpx.AsyncClient) -> None:
    page = (await ada.get("/console/subscribers")).text

    assert "Nobody yet" in page


@pytest.mark.usefixtures("people")
async def test_numbers_by_list_and_the_commands_that_bring_people(ada: httpx.AsyncClient) -> None:
    page = (await ada.get("/console/subscribers")).text

    assert "Open Appeals" in page
    assert "mailer subscribers import people.csv --list appeals" in page
    assert EMMA not in page


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("ROSA@EXAMPLE", [ROSA]),
        ("rosa  lind", [ROSA]),
        ("ليل", [LAYLA]),
        ("lindgren", []),
        ("%", []),
        ("e", [EMMA]),
        ("\x00'--", []),
    ],
)
async def test_people_are_found_by_address_or_name(ada: httpx.AsyncClient, asked: str, found: list[str]) -> None:
    assert await find(ada, asked) == found


@pytest.mark.usefixtures("people")
async def test_one_person_is_shown_with_the_evidence(ada: httpx.AsyncClient) -> None:
    page = (await ada.get("/console/subscribers/1")).text

    assert "<h1><bdi>Rosa Lindgren</bdi></h1>" in page
    assert "put on the list by an organiser" in page
    assert "people.csv" in page
    assert (await ada.get("/console/subscribers/99")).status_code == 404
    assert (await ada.get(f"/console/subscribers/{2**80}")).status_code == 404


@pytest.mark.usefixtures("people")
async def test_people_of_other_lists_are_neither_found_nor_shown(app: App) -> None:
    async with await browser_of(app, BEA, Grant(role=Role.EDITOR, mailing_list_id=2)) as bea:
        assert await find(bea, "ro") == []
        assert await find(bea, "em") == [EMMA]
        assert (await bea.get("/console/subscribers/1")).status_code == 404
        assert (await bea.get("/console/subscribers/3")).status_code == 200


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("grant", [Grant(role=Role.VIEWER), Grant(role=Role.TRANSLATOR, language="tr")])
async def test_who_may_not_see_people_is_shown_numbers_only(app: App, grant: Grant) -> None:
    async with await browser_of(app, BEA, grant) as bea:
        page = (await bea.get("/console/subscribers")).text

        assert "Your role shows numbers and no addresses." in page
        assert "mailer subscribers import" not in page
        assert (await bea.get("/console/subscribers?q=rosa")).status_code == 403
        assert (await bea.get("/console/subscribers/1")).status_code == 403
