"""The report of a check in a real browser: begun by a button, it comes by itself, and nothing of it is cut off."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.browser.test_look import looking_at
from tests.support.browser import DESKTOP, HEIGHT, NARROWEST, axe_violations, layout_faults
from tests.support.console_helpers import SAMIR_SENDER, House
from tests.support.console_pages import View

_PAGE = View("/console/campaigns/{campaign_id:int}/check", "draft")


async def test_a_check_comes_to_its_end_by_itself(house: House, chromium: Browser) -> None:
    async with looking_at(house, chromium, _PAGE, SAMIR_SENDER, theme="light", width=DESKTOP) as window:
        page = window.page
        await page.get_by_role("button", name="Check everything").click()
        await expect(page.get_by_text("letters that can be written")).to_be_visible(timeout=60_000)

        assert await axe_violations(page) == []
        if folder := os.environ.get("MAILER_SHOTS"):
            await page.screenshot(path=Path(folder) / "check.png", full_page=True)
        await page.set_viewport_size({"width": NARROWEST, "height": HEIGHT})
        assert await layout_faults(page) == []
        if folder:
            await page.screenshot(path=Path(folder) / "check-narrow.png", full_page=True)
