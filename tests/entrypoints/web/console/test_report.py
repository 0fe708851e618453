"""The report: the sum, reasons in the relay's words, people by state and by address, a table to download."""

from __future__ import annotations

import csv
import io

import httpx

from mailer.actions.campaigns.live_status import live_status
from mailer.app import App
from mailer.domain.delivery import DeliveryState
from mailer.entrypoints.web.console.session_cookie import form_token
from tests.support.app_helpers import ADMIN
from tests.support.console_helpers import (
    EMMA_EDITOR,
    VERA_VIEWER,
    Furniture,
    http_browser,
)

REFUSED = "appeals3@example.org"


def report_of(furniture: Furniture, name: str = "sent") -> str:
    return f"/console/campaigns/{furniture.campaigns[name]}/report"


def form(furniture: Furniture, **fields: str) -> dict[str, str]:
    return fields | {"form_token": form_token(furniture.words["Samir"])}


async def counts(house_app: App, campaign_id: int) -> dict[DeliveryState, int]:
    return (await live_status(house_app, ADMIN, campaign_id)).counts


async def test_the_report_says_the_sum_and_offers_to_send_again_to_the_refused(
    browser: httpx.AsyncClient, furniture: Furniture
) -> None:
    page = (await browser.get(report_of(furniture))).text

    assert "Sent: 29 accepted, 1 refused, 0 uncertain." in page
    assert "Send again to 1 person" in page
    assert f'href="{report_of(furniture)}/people?state=failed"' in page


async def test_a_campaign_before_it_stands_beside_it(browser: httpx.AsyncClient, furniture: Furniture) -> None:
    page = (await browser.get(report_of(furniture, "uncertain"))).text

    assert "Seeds for the spring" in page.partition("Beside others")[2]


async def test_the_refused_are_listed_with_the_words_of_the_relay(
    browser: httpx.AsyncClient, furniture: Furniture
) -> None:
    page = (await browser.get(f"{report_of(furniture)}/people", params={"state": "failed"})).text

    assert REFUSED in page
    assert "550 5.1.1 no such person" in page
    assert page.count("@example.org</bdi></a></th>") == 1


async def test_somebody_is_found_by_the_beginning_of_their_address(
    browser: httpx.AsyncClient, furniture: Furniture
) -> None:
    people = f"{report_of(furniture)}/people"

    found = (await browser.get(people, params={"q": "APPEALS2"})).text
    nobody = (await browser.get(people, params={"q": '<b>"x'})).text

    assert found.count("@example.org</bdi></a></th>") == 11  # 2, and 20 to 29
    assert "Nobody whose address begins with “&lt;b&gt;&#34;x” was to get this campaign." in nobody


async def test_the_refused_are_sent_again(browser: httpx.AsyncClient, house_app: App, furniture: Furniture) -> None:
    answer = await browser.post(f"{report_of(furniture)}/retry", data=form(furniture))

    assert answer.headers["location"].endswith("/live?done=sent-again")
    assert (await counts(house_app, furniture.campaigns["sent"]))[DeliveryState.QUEUED] == 1


async def test_uncertain_letters_are_settled_by_their_number(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    page, campaign_id = report_of(furniture, "uncertain"), furniture.campaigns["uncertain"]

    wrong = await browser.post(f"{page}/settle", data=form(furniture, typed="2", decision="failed"))
    odd = await browser.post(f"{page}/settle", data=form(furniture, typed="1", decision="lost"))
    before = await counts(house_app, campaign_id)
    right = await browser.post(f"{page}/settle", data=form(furniture, typed="1", decision="failed"))

    assert (wrong.status_code, odd.status_code, right.status_code) == (422, 422, 303)
    assert "That is not the number; nothing was changed." in wrong.text
    assert before[DeliveryState.UNCERTAIN] == 1
    assert DeliveryState.UNCERTAIN not in await counts(house_app, campaign_id)


async def test_the_table_has_a_line_for_each_person(browser: httpx.AsyncClient, furniture: Furniture) -> None:
    answer = await browser.post(f"{report_of(furniture)}/export", data=form(furniture))

    lines = list(csv.reader(io.StringIO(answer.text)))
    assert answer.headers["content-disposition"] == f'attachment; filename="campaign-{furniture.campaigns["sent"]}.csv"'
    assert lines[0] == ["address", "state", "attempts", "code", "reply"]
    assert len(lines) == 31
    assert [line[1] for line in lines if line[0] == REFUSED] == ["failed"]


async def test_who_sees_no_people_sees_numbers_without_addresses(house_app: App, furniture: Furniture) -> None:
    async with http_browser(house_app, furniture, VERA_VIEWER) as vera:
        page = await vera.get(report_of(furniture))
        people = await vera.get(f"{report_of(furniture)}/people")

    assert page.status_code == 200
    assert "@example.org" not in page.text
    assert '<form method="post"' not in page.text
    assert people.status_code == 403


async def test_an_editor_sees_people_and_is_not_offered_to_send(house_app: App, furniture: Furniture) -> None:
    async with http_browser(house_app, furniture, EMMA_EDITOR) as emma:
        page = (await emma.get(report_of(furniture))).text

    assert "Download the table" in page
    assert "Send again" not in page


async def test_what_was_never_launched_has_no_report(browser: httpx.AsyncClient, furniture: Furniture) -> None:
    draft = await browser.get(report_of(furniture, "draft"))
    scheduled = await browser.get(report_of(furniture, "scheduled"))

    assert draft.headers["location"].endswith(f"/{furniture.campaigns['draft']}/review")
    assert scheduled.headers["location"].endswith(f"/{furniture.campaigns['scheduled']}/live")
