"""From nothing to a letter that arrived, and from a list to a scheduled letter: every click and field is counted."""

from __future__ import annotations

import random

import pytest
from playwright.async_api import Browser

from mailer.actions.accounts.sign_in import make_set_up_link
from mailer.actions.campaigns.report import campaign_status
from mailer.domain.campaign import CampaignState
from tests.browser.hands import Hands
from tests.support.app_helpers import ADA, ADMIN, import_rows, parse_letter
from tests.support.browser import open_window
from tests.support.console_helpers import ADA_OWNER, House, sign_in

_WORDS = ("apple", "bread", "field", "forum", "garden", "harvest", "market", "meadow", "orchard", "seeds", "spring")


def some_words(number: int) -> str:
    """Other words in each run: nothing is filled in beforehand."""
    return " ".join(random.choices(_WORDS, k=number)).capitalize()


def campaign_id_in(url: str) -> int:
    return int(url.split("/campaigns/")[1].split("/")[0])


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
async def test_from_an_empty_list_to_a_scheduled_letter_it_takes_three_clicks_and_two_fields(
    own_house: House, chromium: Browser, javascript: bool
) -> None:
    subject, body = some_words(4), some_words(30)
    async with open_window(chromium, own_house.url, javascript=javascript) as window:
        await sign_in(window.context, own_house, ADA_OWNER)
        await window.go("/console/lists/forum")
        hands = Hands(window.page)

        await hands.press("New letter")
        await hands.fill("Subject", subject)
        await hands.fill("Text", body)
        await hands.press("Review", exact=True)
        await hands.press("Schedule for 6 people")

        await window.page.get_by_text("scheduled").first.wait_for()
        assert (hands.clicks, hands.fields) == (3, 2)
        report = await campaign_status(own_house.app, ADMIN, campaign_id_in(window.page.url))
        assert (report.campaign.state, report.campaign.subject) == (CampaignState.SCHEDULED, subject)


async def test_from_the_set_up_link_to_the_first_letter_in_an_inbox_it_takes_at_most_twelve_clicks(
    new_house: House, chromium: Browser
) -> None:
    subject = some_words(5)
    async with open_window(chromium, new_house.url, timezone_id="Europe/Berlin") as window:
        hands = Hands(window.page)
        await window.go(await make_set_up_link(new_house.app) or "")
        await hands.fill("Your address", ADA)
        await hands.press("Become the owner")
        await hands.press("Add a list")
        await hands.press("New list")
        await hands.fill("Address", "garden")
        await hands.fill("Title", "Garden Letters")
        await hands.press("Open the list")
        await import_rows(new_house.app, "rosa@example.org,Rosa,en", list_name="garden")
        await window.page.reload()
        await hands.press("New letter")
        await hands.fill("Subject", subject)
        await hands.fill("Text", some_words(20))
        await hands.press("Review", exact=True)
        await hands.tick("Now instead")
        await hands.press("Schedule for 1 person")
        new_house.clock.advance(seconds=30)
        letter = (await new_house.relay.wait_for(1))[0]

        assert letter.recipient == "rosa@example.org"
        assert parse_letter(letter)["Subject"] == subject
        assert hands.clicks <= 12
