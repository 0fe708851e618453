"""What the pages weigh, as a browser without a cache receives them."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.support.app_helpers import ROOT
from tests.support.browser import Window, open_window
from tests.support.console_helpers import ADA_OWNER, House, sign_in

KB = 1000
STATIC = ROOT / "mailer" / "static"


async def octets_and_requests(window: Window, path: str) -> tuple[int, int]:
    """Octets of all answers, with their headers, and how many."""
    finished = []
    window.page.on("requestfinished", lambda request: finished.append(request))  # noqa: PLW0108 (playwright wraps functions)
    await window.page.goto(path, wait_until="load")
    await window.page.wait_for_timeout(200)
    sizes = [await request.sizes() for request in finished]
    return sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes), len(sizes)


@pytest.mark.parametrize("path", ["/console", "/console/sign-in"])
async def test_the_first_page_of_the_console_weighs_at_most_70_kilobytes(
    house: House, chromium: Browser, path: str
) -> None:
    async with open_window(chromium, house.url) as window:
        if path == "/console":
            await sign_in(window.context, house, ADA_OWNER)
        octets, _ = await octets_and_requests(window, path)

    assert octets <= 70 * KB


async def test_the_form_to_join_weighs_at_most_15_kilobytes_in_two_requests(house: House, chromium: Browser) -> None:
    async with open_window(chromium, house.url) as window:
        octets, requests = await octets_and_requests(window, "/join/appeals")

    assert octets <= 15 * KB
    assert requests <= 2


def test_all_scripts_of_the_console_are_20_kilobytes_and_its_stylesheet_16() -> None:
    assert sum(file.stat().st_size for file in STATIC.glob("*.js")) <= 20 * 1024
    assert (STATIC / "console.css").stat().st_size <= 16 * 1024
