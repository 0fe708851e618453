"""Live numbers in a real browser: they change by themselves, and nothing that is being typed is lost."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from mailer.actions.campaigns.pause_resume_cancel import cancel, pause, resume
from tests.support.app_helpers import ADMIN
from tests.support.browser import open_window
from tests.support.console_helpers import SAMIR_SENDER, House, sign_in

PATIENCE_MS = 20_000


def live_page(house: House, name: str) -> str:
    return f"/console/campaigns/{house.campaigns[name]}/live"


async def test_numbers_and_bar_change_without_a_click(own_house: House, chromium: Browser) -> None:
    async with open_window(chromium, own_house.url) as window:
        await sign_in(window.context, own_house, SAMIR_SENDER)
        await window.go(live_page(own_house, "sending"))
        accepted = window.page.locator('[data-row="accepted"] [data-live="accepted"]')
        before = await accepted.text_content()
        await window.page.evaluate("window.neverLoadedAgain = true")
        # Spread over hours: with the time the next letters may go.
        own_house.clock.advance(hours=2)

        await expect(accepted).not_to_have_text(before or "", timeout=PATIENCE_MS)
        await expect(window.page.locator('[data-live="rate"]')).to_contain_text("letter")
        assert await window.page.locator("[data-bar] rect.well").count() == 1
        assert await window.page.evaluate("window.neverLoadedAgain")


async def test_when_somebody_pauses_it_the_page_offers_to_resume(own_house: House, chromium: Browser) -> None:
    async with open_window(chromium, own_house.url) as window:
        await sign_in(window.context, own_house, SAMIR_SENDER)
        await window.go(live_page(own_house, "sending"))
        await expect(window.page.get_by_role("button", name="Pause it")).to_be_visible()

        await pause(own_house.app, ADMIN, own_house.campaigns["sending"])

        await expect(window.page.get_by_role("button", name="Resume it")).to_be_visible(timeout=PATIENCE_MS)


async def test_a_number_that_is_being_typed_stays_when_the_state_changes(own_house: House, chromium: Browser) -> None:
    campaign_id = own_house.campaigns["paused"]
    async with open_window(chromium, own_house.url) as window:
        await sign_in(window.context, own_house, SAMIR_SENDER)
        await window.go(live_page(own_house, "paused"))
        typed = window.page.get_by_label("the number of people it was for")
        await typed.fill("3")

        await resume(own_house.app, ADMIN, campaign_id)

        said = window.page.get_by_text("Its state has changed. Load the page again")
        await expect(said).to_be_visible(timeout=PATIENCE_MS)
        assert await typed.input_value() == "3"


async def test_at_the_end_it_says_so_and_watches_no_longer(own_house: House, chromium: Browser) -> None:
    async with open_window(chromium, own_house.url) as window:
        await sign_in(window.context, own_house, SAMIR_SENDER)
        await window.go(live_page(own_house, "paused"))

        await cancel(own_house.app, ADMIN, own_house.campaigns["paused"])

        ended = window.page.get_by_text("Cancelled: 30 letters are never sent.")
        await expect(ended).to_be_visible(timeout=PATIENCE_MS)
        await expect(window.page.locator("[data-stream]")).to_have_count(0, timeout=PATIENCE_MS)


async def test_without_script_the_page_loads_itself_again(own_house: House, chromium: Browser) -> None:
    async with open_window(chromium, own_house.url, javascript=False) as window:
        await sign_in(window.context, own_house, SAMIR_SENDER)
        await window.go(live_page(own_house, "sending"))
        await pause(own_house.app, ADMIN, own_house.campaigns["sending"])

        await expect(window.page.get_by_role("button", name="Resume it")).to_be_visible(timeout=PATIENCE_MS)
