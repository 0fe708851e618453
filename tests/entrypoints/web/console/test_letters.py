"""The letter that somebody got, on a page: what became of it, the letter in its frame, and no link that acts."""

from __future__ import annotations

import re

import httpx
import pytest
from sqlalchemy import Connection, select

from mailer.actions.lists.edit_list import set_list
from mailer.app import App
from mailer.domain.token import Purpose, read_token
from mailer.errors import TokenRefused
from mailer.store.people_tables import subscriber, subscription
from tests.support.app_helpers import ADMIN
from tests.support.console_helpers import SAMIR_SENDER, VERA_VIEWER, Furniture, http_browser

REFUSED, WAITING = "appeals3@example.org", "appeals2@example.org"


async def path_to(app: App, furniture: Furniture, campaign: str, address: str) -> str:
    """The page of the letter of a furnished campaign to somebody."""

    def number(tx: Connection) -> int:
        found = select(subscription.c.id).join(subscriber).where(subscriber.c.address == address)
        return int(tx.execute(found.where(subscription.c.mailing_list_id == 1)).scalar_one())

    return f"/console/campaigns/{furniture.campaigns[campaign]}/letters/{await app.database.read(number)}"


async def test_the_people_of_a_report_lead_to_their_letters(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    path = await path_to(house_app, furniture, "sent", REFUSED)
    people = await browser.get(f"/console/campaigns/{furniture.campaigns['sent']}/report/people?state=failed")
    page = (await browser.get(path)).text

    assert f'href="{path}"' in people.text
    assert f"The letter to <bdi>{REFUSED}</bdi>" in page
    assert "550 5.1.1 no such person" in page
    assert f'src="{path}/frame?view=html"' in page
    assert "would go now" not in page


@pytest.mark.parametrize("view", ["html", "phone", "text", "source"])
async def test_the_frame_shows_the_letter_and_no_token_that_could_be_used(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture, view: str
) -> None:
    path = await path_to(house_app, furniture, "sent", WAITING)
    await set_list(house_app, ADMIN, "appeals", title="Another name")
    page, dark = [await browser.get(f"{path}/frame", params={"view": view} | more) for more in ({}, {"dark": "1"})]

    assert page.status_code == 200
    assert "sandbox" in page.headers["content-security-policy"]
    assert "seeds" in page.text
    assert "Open Appeals" in page.text
    assert "Another name" not in page.text
    assert f"/leave/{'x' * 29}" in page.text.replace("=\r\n", "").replace("=\n", "")
    assert page.text != dark.text
    for word in re.findall(r"[a-z2-7]{29}", page.text):
        with pytest.raises(TokenRefused):
            read_token(house_app.site.keyring, Purpose.LEAVE, word)


async def test_a_letter_that_waits_is_said_to_be_as_it_would_go_and_a_cancelled_one_has_no_frame(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    waits = (await browser.get(await path_to(house_app, furniture, "paused", WAITING))).text
    path = await path_to(house_app, furniture, "cancelled", WAITING)
    cancelled = await browser.get(path)

    assert "This is how the letter would go now." in waits
    assert "No letter was handed to the relay." in cancelled.text
    assert (await browser.get(f"{path}/frame")).status_code == 404


async def test_a_person_has_a_page_of_all_letters(browser: httpx.AsyncClient, furniture: Furniture) -> None:
    person = (await browser.get("/console/subscribers/2")).text
    page = (await browser.get("/console/subscribers/2/letters")).text

    assert 'href="/console/subscribers/2/letters"' in person
    assert page.count(f'href="/console/campaigns/{furniture.campaigns["sent"]}/letters/2"') == 1
    assert "Seeds for the spring" in page


async def test_who_sees_no_people_sees_no_letter(house_app: App, furniture: Furniture) -> None:
    path = await path_to(house_app, furniture, "sent", WAITING)
    async with http_browser(house_app, furniture, VERA_VIEWER) as vera:
        answers = [await vera.get(one) for one in (path, f"{path}/frame", "/console/subscribers/2/letters")]
    async with http_browser(house_app, furniture, SAMIR_SENDER) as samir:
        unknown = [await samir.get(path.rpartition("/")[0] + one) for one in ("/99999", "/99999/frame")]

    assert [one.status_code for one in answers] == [403, 403, 403]
    assert [one.status_code for one in unknown] == [404, 404]
