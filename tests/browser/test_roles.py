"""What each role's day is: Emma writes, Tuana translates, Samir decides on the hour, Vera looks on."""

from __future__ import annotations

from playwright.async_api import Browser, Page

from tests.browser.hands import Hands
from tests.support.browser import open_window
from tests.support.console_helpers import (
    EMMA_EDITOR,
    SAMIR_SENDER,
    TUANA_TRANSLATOR,
    VERA_VIEWER,
    House,
    Person,
    sign_in,
)


async def test_emma_writes_and_samir_decides_when_it_goes(own_house: House, chromium: Browser) -> None:
    async with (
        open_window(chromium, own_house.url) as emmas,
        open_window(chromium, own_house.url) as samirs,
    ):
        await sign_in(emmas.context, own_house, EMMA_EDITOR)
        await sign_in(samirs.context, own_house, SAMIR_SENDER)
        await emmas.go("/console/lists/appeals")
        emma = Hands(emmas.page)
        await emma.press("New letter")
        await emma.fill("Subject", "Emma's letter")
        await emma.fill("Text", "Bring seeds.")
        await emma.press("Review", exact=True)
        await emmas.page.wait_for_url("**/review")
        assert await emmas.page.get_by_role("button", name="Schedule").count() == 0

        await samirs.page.goto(emmas.page.url)
        samir = Hands(samirs.page)
        await samir.press("Schedule for 30 people")
        await samirs.go(f"/console/campaigns/{own_house.campaigns['sending']}/live")
        await samir.press("Pause it")
        await samir.press("Resume it")

        assert "Emma's letter" in await text_at(emmas.page, "/console")


async def test_tuana_changes_only_the_turkish_text(house: House, chromium: Browser) -> None:
    write = f"/console/campaigns/{house.campaigns['draft']}/write"
    async with open_window(chromium, house.url) as window:
        await sign_in(window.context, house, TUANA_TRANSLATOR)
        await window.go(f"{write}/en")
        assert await window.page.locator("textarea").first.get_attribute("readonly") is not None
        await window.go(f"{write}/tr")
        assert await window.page.locator("textarea").first.get_attribute("readonly") is None


async def test_who_sees_no_people_is_shown_no_readers_address(house: House, chromium: Browser) -> None:
    pages = ["/console", "/console/campaigns", "/console/subscribers", "/console/lists/appeals"]
    pages += [f"/console/campaigns/{house.campaigns['sent']}/report"]
    pages += [f"/console/campaigns/{house.campaigns['draft']}/{page}" for page in ("review", "write/tr")]

    async def see(who: Person) -> None:
        async with open_window(chromium, house.url) as window:
            await sign_in(window.context, house, who)
            for path in pages:
                assert await window.go(path) == 200, path
                content = await window.page.content()
                assert "appeals3@" not in content, path
                assert "Bergström" not in content, path

    await see(VERA_VIEWER)
    await see(TUANA_TRANSLATOR)


async def text_at(page: Page, path: str) -> str:
    await page.goto(path)
    return await page.locator("main").inner_text()
