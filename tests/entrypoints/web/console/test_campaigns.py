"""Campaigns through the HTTP door: the board, search, one month, and the way to where one goes on."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import cancel, pause
from mailer.actions.campaigns.schedule import schedule
from mailer.app import App
from mailer.domain.accounts.role import Grant, Role
from mailer.entrypoints.web.console.session_cookie import form_token
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    APPEAL,
    BEA,
    DOMAIN,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
)
from tests.support.console_client import browser_of

OURS = {"Sec-Fetch-Site": "same-origin"}
SITE = f"https://{DOMAIN}"


@pytest.fixture
async def ada(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """Owns the site."""
    async with await browser_of(app, ADA, Grant(role=Role.OWNER)) as browser:
        yield browser


async def write(app: App, subject: str, list_name: str = "appeals") -> int:
    text = APPEAL.replace("Come to the harvest forum", subject).replace("2027-03-05", "2027-06-05")
    return await new_campaign(app, ADMIN, list_name=list_name, texts={"appeal.md": text})


def heads(page: str) -> list[str]:
    """The headings of the page's parts."""
    return re.findall(r"<h2>(.*?)</h2>", page)


async def test_an_empty_house_is_told_what_a_campaign_is(app: App, ada: httpx.AsyncClient) -> None:
    page = (await ada.get("/console/campaigns")).text

    assert heads(page) == ["No letter yet"]
    assert "First there must be a list" in page

    await open_list(app)
    page = (await ada.get("/console/campaigns")).text
    assert 'action="/console/campaigns/new"' in page, "with one list a letter begins at once"
    assert 'name="list" value="appeals"' in page


async def test_with_several_lists_one_chooses_the_list_first(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)
    await open_list(app, "walks")
    await write(app, "A letter")

    assert '<a class="button main" href="/console/campaigns/new">' in (await ada.get("/console/campaigns")).text
    choice = (await ada.get("/console/campaigns/new")).text
    assert re.findall(r'name="list" value="(\w+)"', choice) == ["appeals", "walks"]
    of_one_list = (await ada.get("/console/campaigns?list=walks")).text
    assert 'name="list" value="walks"' in of_one_list


async def test_the_board_has_a_part_for_each_thing_to_do(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},,", f"{EMMA},,")
    sent = await launch_campaign(app)
    await send_campaigns(app)
    paused, scheduled, draft = await launch_campaign(app), await write(app, "Later"), await write(app, "Not yet")
    await pause(app, ADMIN, paused)
    await schedule(app, ADMIN, scheduled, local_time="2027-03-09T09:00", zone="Europe/Istanbul")

    page = (await ada.get("/console/campaigns")).text

    assert heads(page) == ["Needs somebody", "Scheduled", "Drafts", "Over"]
    assert "2 of 2 letters wait." in page
    assert "Tue 9 Mar, 07:00 Berlin (in 8 days; 09:00 Istanbul)" in page
    places = {sent: "report", paused: "live", scheduled: "review", draft: "write/en"}
    for campaign_id, place in places.items():
        response = await ada.get(f"/console/campaigns/{campaign_id}")
        assert response.status_code == 303
        assert response.headers["location"] == f"/console/campaigns/{campaign_id}/{place}"


async def test_a_search_finds_subjects_whatever_their_accents_and_capitals(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)
    for subject in ("İstanbul'da buluşma", "Frühling", "Walks"):
        await write(app, subject)

    for words, found in {"istanbul": "İstanbul", "ISTANBUL'DA BULUSMA": "İstanbul", "fruhl": "Frühling"}.items():
        page = (await ada.get("/console/campaigns", params={"q": words})).text
        assert re.findall(r"<bdi>(.*?)</bdi></a></th>", page) == [found_in(page, found)], words
    assert "No campaign is like that" in (await ada.get("/console/campaigns?q=%25")).text


def found_in(page: str, start: str) -> str:
    """The subject on the page that begins so, as HTML."""
    return next(one for one in re.findall(r"<bdi>(.*?)</bdi>", page) if one.startswith(start))


async def test_many_campaigns_are_read_page_by_page(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)
    for number in range(45):
        await write(app, f"Letter {number}")

    seen, path = [], "/console/campaigns?state=draft"
    while path:
        page = (await ada.get(path)).text
        seen += re.findall(r"<bdi>Letter (\d+)</bdi>", page)
        following = re.search(r'rel="next" href="([^"]*)"', page)
        path = following[1].replace("&amp;", "&") if following else ""

    assert seen == [str(number) for number in reversed(range(45))]


async def test_a_month_shows_each_campaign_on_its_day_in_the_organisers_zone(app: App, clock: Clock) -> None:
    await open_list(app)
    late = await write(app, "Late in the evening")
    await schedule(app, ADMIN, late, local_time="2027-03-31T23:30", zone="UTC")

    async with await browser_of(app, EMMA, Grant(role=Role.VIEWER), zone="UTC") as emma:
        page = (await emma.get("/console/campaigns/calendar?month=2027-03")).text
        assert re.search(r'datetime="2027-03-31".*?</time>\s*<a [^>]*>23:30 <bdi>Late in the evening', page, re.DOTALL)
    async with await browser_of(app, BEA, Grant(role=Role.VIEWER), zone="Asia/Tokyo") as bea:
        page = (await bea.get("/console/campaigns/calendar?month=2027-04")).text
        assert re.search(r'datetime="2027-04-01".*?</time>\s*<a [^>]*>08:30 <bdi>Late in the evening', page, re.DOTALL)


@pytest.mark.parametrize("month", ["", "2027-13", "0000-01", "99999-01", "x", "2027-03-09", "1969-01"])
async def test_a_month_that_is_none_is_this_month(app: App, ada: httpx.AsyncClient, month: str) -> None:
    page = await ada.get("/console/campaigns/calendar", params={"month": month})

    assert page.status_code == 200
    assert "<h1><bdi>March 2027</bdi></h1>" in page.text


async def test_one_sees_the_campaigns_of_ones_own_lists_only(app: App) -> None:
    appeals, _ = await open_list(app), await open_list(app, "walks")
    ours, theirs = await write(app, "Ours"), await write(app, "Theirs", "walks")
    await cancel(app, ADMIN, theirs)

    async with await browser_of(app, EMMA, Grant(role=Role.VIEWER, mailing_list_id=appeals.id)) as emma:
        page = (await emma.get("/console/campaigns")).text
        assert "Ours" in page
        assert "Theirs" not in page
        assert "New letter" not in page, "a viewer writes nothing"
        assert "Theirs" not in (await emma.get("/console/campaigns?list=walks")).text
        assert "Theirs" not in (await emma.get("/console/campaigns/calendar")).text
        assert (await emma.get(f"/console/campaigns/{theirs}")).status_code == 403
        assert (await emma.get(f"/console/campaigns/{ours}")).status_code == 303


@pytest.mark.parametrize("query", ["after=x", "after=-1&state=sent", "state=asleep"])
async def test_a_query_that_no_page_made_finds_nothing(app: App, ada: httpx.AsyncClient, query: str) -> None:
    assert (await ada.get(f"/console/campaigns?{query}")).status_code == 404


async def test_a_new_letter_begins_on_its_writing_page_with_one_click(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app, language="tr")
    token = {"form_token": form_token(ada.cookies["__Host-mailer"])}

    begun = await ada.post("/console/campaigns/new", data=token | {"list": "appeals"}, headers=OURS)

    assert (begun.status_code, begun.headers["location"]) == (303, "/console/campaigns/1/write/tr")
    page = (await ada.get("/console/campaigns")).text
    assert heads(page) == ["Drafts"]
    assert "no subject yet" in page
    lost = await ada.post("/console/campaigns/new", data=token | {"list": "walks"}, headers=OURS)
    assert lost.status_code == 404


async def test_again_is_a_draft_with_the_same_words(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)
    sent = await launch_campaign(app)
    token = {"form_token": form_token(ada.cookies["__Host-mailer"])}

    begun = await ada.post(f"/console/campaigns/{sent}/again", data=token, headers=OURS)

    assert begun.headers["location"] == f"/console/campaigns/{sent + 1}/write/en"
    assert "Come to the harvest forum" in (await ada.get("/console/campaigns?state=draft")).text
