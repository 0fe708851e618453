"""The check in the console: a button, a page that follows it without a script, and a reason that lets it pass."""

from __future__ import annotations

import asyncio
import re

import html5lib
import httpx

from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.actions.campaigns.live_status import live_status
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.entrypoints.web.console.preflight_runs import KEPT, PreflightRuns
from mailer.entrypoints.web.console.session_cookie import form_token
from tests.support.app_helpers import ADMIN
from tests.support.console_helpers import SAMIR_SENDER, VERA_VIEWER, Furniture, http_browser

HOUR = {"date": "2027-03-20", "time": "09:00", "zone": "Europe/Berlin"}


def page_of(furniture: Furniture, page: str) -> str:
    return f"/console/campaigns/{furniture.campaigns['draft']}/{page}"


async def wait_for_report(browser: httpx.AsyncClient, furniture: Furniture) -> str:
    """The page, followed as a browser does that loads it again while it says so."""
    async with asyncio.timeout(30):
        while "Refresh" in (answer := await browser.get(page_of(furniture, "check"))).headers:
            assert "It is running: " in answer.text
    return answer.text


async def test_a_check_runs_in_the_background_and_its_result_is_read_on_a_page(
    browser: httpx.AsyncClient, furniture: Furniture
) -> None:
    before = (await browser.get(page_of(furniture, "check"))).text
    token = {"form_token": form_token(furniture.words[SAMIR_SENDER.name])}

    answer = await browser.post(page_of(furniture, "check"), data=token)
    page = await wait_for_report(browser, furniture)
    review = (await browser.get(page_of(furniture, "review"))).text

    assert "It was not checked in the last ten minutes." in before
    assert (answer.status_code, answer.headers["location"]) == (303, page_of(furniture, "check"))
    assert "letters that can be written: 30 of 30" in page
    assert "Nothing blocks it." in page
    assert "See what was found" in review
    html5lib.HTMLParser(strict=True).parse(page)
    assert "<script" not in page.replace('<script src="', "")


async def test_a_viewer_may_read_but_not_begin_one(house_app: App, furniture: Furniture) -> None:
    async with http_browser(house_app, furniture, VERA_VIEWER) as browser:
        token = {"form_token": form_token(furniture.words[VERA_VIEWER.name])}
        page = (await browser.get(page_of(furniture, "check"))).text
        answer = await browser.post(page_of(furniture, "check"), data=token)

    assert "Check everything" not in page
    assert answer.status_code == 403


async def test_a_report_is_kept_for_ten_minutes_and_one_check_runs_at_a_time(
    house_app: App, furniture: Furniture
) -> None:
    runs, number = PreflightRuns(house_app), furniture.campaigns["draft"]

    first = runs.start(ADMIN, number, with_links=False)
    second = runs.start(ADMIN, number, with_links=True)
    assert first is second
    assert first.task is not None
    await first.task

    assert first.report is not None
    assert runs.get(number) is first
    clock = house_app.clock
    object.__setattr__(house_app, "clock", lambda: clock() + KEPT + KEPT)
    assert runs.get(number) is None


async def test_a_check_that_fails_says_so(house_app: App) -> None:
    runs = PreflightRuns(house_app)

    run = runs.start(ADMIN, 999, with_links=False)
    assert run.task is not None
    await run.task

    assert (run.has_failed, run.is_running) == (True, False)


async def test_what_blocks_asks_for_a_reason_which_is_kept_and_shown(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    number = furniture.campaigns["draft"]
    draft = await load_draft(house_app, ADMIN, number, "en")
    text = draft.text + "\nWe write `*|FNAME|*` no more.\n"
    await save_draft(house_app, ADMIN, number, "en", version=draft.version, text=text)
    page = (await browser.get(page_of(furniture, "review"))).text
    digest = re.search(r'name="digest" value="(\w+)"', page)
    assert digest is not None
    ticked = re.findall(r'name="accept" value="(\w+)"', page)
    fields = {
        "digest": digest[1],
        "form_token": form_token(furniture.words[SAMIR_SENDER.name]),
        "accept": ticked,
    } | HOUR

    refused = await browser.post(page_of(furniture, "review/schedule"), data=fields)
    taken = await browser.post(page_of(furniture, "review/schedule"), data=fields | {"anyway": "It is about them."})

    assert refused.status_code == 409
    assert "was left in the letter" in refused.text
    assert 'name="anyway"' in refused.text
    assert taken.status_code == 303
    campaign = (await live_status(house_app, ADMIN, number)).campaign
    assert (campaign.state, campaign.anyway_reason) == (CampaignState.SCHEDULED, "It is about them.")
