"""The live page: numbers as a sum, acts that say in numbers what they do, and nothing cancelled without the number."""

from __future__ import annotations

import httpx
import pytest

from mailer.actions.campaigns.live_status import live_status
from mailer.actions.campaigns.schedule import send_now
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.entrypoints.web.console.live import typed_number
from mailer.entrypoints.web.console.session_cookie import form_token
from tests.support.app_helpers import ADMIN
from tests.support.console_helpers import (
    ADA_OWNER,
    SAMIR_SENDER,
    VERA_VIEWER,
    Furniture,
    Person,
    http_browser,
)


def form(furniture: Furniture, who: Person = SAMIR_SENDER, **fields: str) -> dict[str, str]:
    return fields | {"form_token": form_token(furniture.words[who.name])}


async def state(house_app: App, campaign_id: int) -> CampaignState:
    return (await live_status(house_app, ADMIN, campaign_id)).campaign.state


async def test_the_page_shows_the_sum_and_what_each_act_does_in_numbers(
    browser: httpx.AsyncClient, furniture: Furniture
) -> None:
    sending = (await browser.get(f"/console/campaigns/{furniture.campaigns['sending']}/live")).text
    paused = (await browser.get(f"/console/campaigns/{furniture.campaigns['paused']}/live")).text

    assert "0 of 30 letters are done." in sending
    assert 'data-stream="/console/campaigns/' in sending
    assert "Pausing holds the" in sending
    assert "Cancel the campaign" not in sending
    assert "Paused: 30 letters wait." in paused
    assert "Cancelling means that 30 letters are never sent. This cannot be undone." in paused
    assert "A corrected text reaches the 30 people whose letters wait" in paused


async def test_samir_pauses_and_resumes(browser: httpx.AsyncClient, house_app: App, furniture: Furniture) -> None:
    campaign_id = furniture.campaigns["sending"]
    page = f"/console/campaigns/{campaign_id}/live"

    pausing = await browser.post(f"{page}/pause", data=form(furniture))
    paused = await state(house_app, campaign_id)
    shown = (await browser.get(pausing.headers["location"])).text
    await browser.post(f"{page}/resume", data=form(furniture))

    assert (pausing.status_code, pausing.headers["location"]) == (303, f"{page}?done=paused")
    assert "It is paused; nothing more is sent." in shown
    assert paused is CampaignState.PAUSED
    assert await state(house_app, campaign_id) is CampaignState.SENDING


async def test_a_wrong_number_cancels_nothing_and_says_so_beside_the_field(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    campaign_id = furniture.campaigns["paused"]
    page = f"/console/campaigns/{campaign_id}/live"

    wrong = [await browser.post(f"{page}/cancel", data=form(furniture, typed=one)) for one in ("", "29", "thirty")]
    before = await state(house_app, campaign_id)
    right = await browser.post(f"{page}/cancel", data=form(furniture, typed=" 30 "))

    assert {one.status_code for one in wrong} == {422}
    assert all("That is not the number; nothing was cancelled." in one.text for one in wrong)
    assert before is CampaignState.PAUSED
    assert right.status_code == 303
    assert await state(house_app, campaign_id) is CampaignState.CANCELLED


async def test_a_letter_sent_now_can_be_taken_back_before_anything_else(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    campaign_id = furniture.campaigns["draft"]
    await send_now(house_app, ADMIN, campaign_id, wait_s=30)

    shown = (await browser.get(f"/console/campaigns/{campaign_id}/live")).text
    taken = await browser.post(f"/console/campaigns/{campaign_id}/live/unschedule", data=form(furniture))

    assert "Until then it can be taken back" in shown
    assert taken.headers["location"] == f"/console/campaigns/{campaign_id}/review?done=unscheduled"
    assert await state(house_app, campaign_id) is CampaignState.DRAFT


async def test_a_viewer_follows_and_is_offered_nothing(house_app: App, furniture: Furniture) -> None:
    async with http_browser(house_app, furniture, VERA_VIEWER) as vera:
        for name in ("sending", "paused", "scheduled"):
            shown = await vera.get(f"/console/campaigns/{furniture.campaigns[name]}/live")

            assert shown.status_code == 200
            assert '<form method="post"' not in shown.text
            assert "@example.org" not in shown.text.partition("<main")[2]


async def test_a_draft_has_no_numbers_and_leads_to_its_review(browser: httpx.AsyncClient, furniture: Furniture) -> None:
    campaign_id = furniture.campaigns["draft"]

    answer = await browser.get(f"/console/campaigns/{campaign_id}/live")

    assert answer.headers["location"] == f"/console/campaigns/{campaign_id}/review"


async def test_what_is_over_is_not_followed(house_app: App, furniture: Furniture) -> None:
    async with http_browser(house_app, furniture, ADA_OWNER) as ada:
        shown = (await ada.get(f"/console/campaigns/{furniture.campaigns['sent']}/live")).text

    assert "data-stream" not in shown
    assert "Sent: 29 accepted, 1 refused, 0 uncertain." in shown


@pytest.mark.parametrize(
    ("text", "number"),
    [("3,102", 3102), ("3.102", 3102), (" 3 102 ", 3102), ("٣٠", 30), ("", None), ("all", None), ("9" * 40, None)],
)
def test_a_typed_number_may_be_written_as_people_do(text: str, number: int | None) -> None:
    assert typed_number(text) == number
