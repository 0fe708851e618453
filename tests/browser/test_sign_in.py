"""How organisers come in and are sent out again, in real browsers."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page

from mailer.actions.accounts.sign_in import make_set_up_link, make_sign_in_link
from tests.support.app_helpers import ADA, ADMIN, text_of
from tests.support.browser import DESKTOP, PHONE, axe_violations, layout_faults, open_window
from tests.support.console_helpers import ADA_OWNER, House, sign_in
from tests.support.fake_relay_session import ReceivedLetter

with_and_without_script = pytest.mark.parametrize("javascript", [True, False])


def link_in(letter: ReceivedLetter) -> str:
    found = re.search(r"https?://\S+/console/sign-in/link/\w+", text_of(letter))
    assert found, text_of(letter)
    return found[0]


def code_in(letter: ReceivedLetter) -> str:
    found = re.search(r"^\W*([A-Z0-9]{4}-?[A-Z0-9]{4})\W*$", text_of(letter), re.MULTILINE)
    assert found, text_of(letter)
    return found[1]


async def press(page: Page) -> None:
    """The page's main button."""
    await page.locator("main form button").first.click()


async def ask_for_a_letter(page: Page, house: House, number: int = 1) -> ReceivedLetter:
    """Ada asks; the letter that comes."""
    await page.goto("/console/campaigns")
    await page.get_by_label("address").first.fill(ADA)
    await press(page)
    return (await house.relay.wait_for(number))[number - 1]


@with_and_without_script
async def test_the_set_up_link_makes_its_reader_the_owner_once(
    new_house: House, chromium: Browser, javascript: bool
) -> None:
    link = await make_set_up_link(new_house.app)
    assert link is not None
    async with open_window(chromium, new_house.url, javascript=javascript) as window:
        await window.go(link)
        await window.page.get_by_label("Your address").fill(ADA)
        await window.page.get_by_label("Your name").fill("Ada")
        await window.page.get_by_label("Your time zone").fill("Europe/Berlin")
        await press(window.page)

        assert window.page.url == f"{new_house.url}/console"
    async with open_window(chromium, new_house.url, javascript=javascript) as window:
        assert await window.go(link) == 410


@with_and_without_script
async def test_ada_types_the_code_of_the_letter_and_is_where_she_wanted_to_be(
    empty_house: House, chromium: Browser, javascript: bool
) -> None:
    async with open_window(chromium, empty_house.url, javascript=javascript) as window:
        letter = await ask_for_a_letter(window.page, empty_house)
        await window.page.get_by_label("code").fill(code_in(letter).lower())
        await press(window.page)

        assert window.page.url == f"{empty_house.url}/console/campaigns"


async def test_the_link_of_the_letter_works_once_and_only_where_it_was_asked_for(
    empty_house: House, chromium: Browser
) -> None:
    async with (
        open_window(chromium, empty_house.url) as hers,
        open_window(chromium, empty_house.url) as anothers,
    ):
        link = link_in(await ask_for_a_letter(hers.page, empty_house))

        assert await anothers.go(link) == 403
        assert await hers.go(link) == 200
        await press(hers.page)
        assert hers.page.url == f"{empty_house.url}/console/campaigns"
        await hers.context.clear_cookies()
        assert await hers.go(link) in {403, 410}


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
async def test_axe_finds_nothing_on_the_pages_that_only_a_true_link_shows(
    new_house: House, chromium: Browser, width: int
) -> None:
    link = await make_set_up_link(new_house.app)
    async with open_window(chromium, new_house.url, width=width) as window:
        await window.go(link or "")
        assert await axe_violations(window.page) == []
        assert await layout_faults(window.page) == []
        await window.page.get_by_label("Your address").fill("nonsense @")
        await window.page.locator("main form").evaluate("form => form.noValidate = true")
        await press(window.page)
        assert await axe_violations(window.page) == []
        await window.page.get_by_label("Your address").fill(ADA)
        await window.page.get_by_label("Your time zone").fill("Europe/Berlin")
        await press(window.page)
        assert window.page.url == f"{new_house.url}/console"
        await window.context.clear_cookies()

        letter = await ask_for_a_letter(window.page, new_house)
        for _ in range(2):
            assert await axe_violations(window.page) == []
            assert await layout_faults(window.page) == []
            await window.go(link_in(letter))


async def test_a_printed_link_lets_in_while_no_mail_goes(empty_house: House, chromium: Browser) -> None:
    link = await make_sign_in_link(empty_house.app, ADMIN, ADA)

    async with open_window(chromium, empty_house.url) as window:
        await window.go(link)
        await press(window.page)

        assert window.page.url == f"{empty_house.url}/console"


async def test_signing_out_leads_to_the_sign_in_page_and_back_is_no_way_in(house: House, chromium: Browser) -> None:
    link = await make_sign_in_link(house.app, ADMIN, ADA)

    async with open_window(chromium, house.url) as window:
        await window.go(link)
        await press(window.page)
        await window.go("/console/me")
        await window.page.get_by_role("button", name="Sign out here").click()
        assert (await window.heading()).startswith("Sign in")

        await window.go("/console/campaigns")
        assert "/console/sign-in?next=" in window.page.url


async def test_a_session_that_was_ended_elsewhere_leads_to_the_sign_in_page(
    own_house: House, chromium: Browser
) -> None:
    async with (
        open_window(chromium, own_house.url) as lost,
        open_window(chromium, own_house.url) as home,
    ):
        await sign_in(lost.context, own_house, ADA_OWNER)
        await lost.go("/console")
        await home.go(await make_sign_in_link(own_house.app, ADMIN, ADA))
        await press(home.page)

        await home.go("/console/me")
        await home.page.get_by_role("button", name=re.compile("Sign out \\d+ other browser")).click()
        await lost.page.get_by_role("link", name="Lists").first.click()

        assert "/console/sign-in?next=" in lost.page.url
        assert await home.go("/console/campaigns") == 200
