"""The pages that readers see, in a real browser: nothing for axe to find, nothing cut off, no script needed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from mailer.app import App
from mailer.domain.token import Purpose, sign_token
from tests.support.app_helpers import EMMA, ROSA, import_rows, open_list, token_in
from tests.support.browser import (
    DESKTOP,
    NARROWEST,
    PHONE,
    Theme,
    axe_violations,
    layout_faults,
    open_window,
    unreachable_by_tab,
)
from tests.support.fake_relay import FakeRelay
from tests.support.running_service import RunningService, running_service


@pytest_asyncio.fixture(loop_scope="session")
async def service(app: App) -> AsyncIterator[RunningService]:
    """The running service with Ada's list and Emma on it."""
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")
    async with running_service(app) as running:
        yield running


def url_of(service: RunningService) -> str:
    return f"http://127.0.0.1:{service.ports.web_port}"


def pages(app: App) -> dict[str, int]:
    """Paths and the status of each."""
    leave, rejoin, never = (
        sign_token(app.site.keyring, purpose, 1) for purpose in (Purpose.LEAVE, Purpose.REJOIN, Purpose.NEVER)
    )
    return {
        "/": 200,
        "/join/appeals": 200,
        f"/leave/{leave}": 200,
        f"/rejoin/{rejoin}": 200,
        f"/never/{never}": 200,
        "/join/nobody": 404,
    }


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_on_the_pages_for_readers(
    service: RunningService, chromium: Browser, theme: Theme, width: int, language: str
) -> None:
    async with open_window(chromium, url_of(service), width=width, theme=theme, language=language) as window:
        for path, status in pages(service.app).items():
            assert await window.go(path) == status
            assert await axe_violations(window.page) == [], path


@pytest.mark.parametrize("language", ["en", "de", "ar"])
async def test_no_page_for_readers_scrolls_sideways_or_cuts_text_at_320_pixels(
    service: RunningService, chromium: Browser, language: str
) -> None:
    async with open_window(chromium, url_of(service), width=NARROWEST, language=language) as window:
        for path in pages(service.app):
            await window.go(path)
            assert await layout_faults(window.page) == [], path


async def test_every_act_on_the_pages_for_readers_is_reached_by_the_tab_key(
    service: RunningService, chromium: Browser
) -> None:
    async with open_window(chromium, url_of(service)) as window:
        for path in pages(service.app):
            await window.go(path)
            assert await unreachable_by_tab(window.page) == [], path


@pytest.mark.parametrize("javascript", [True, False])
async def test_rosa_joins_and_leaves_with_and_without_script(
    service: RunningService, chromium: Browser, relay: FakeRelay, javascript: bool
) -> None:
    async with open_window(chromium, url_of(service), javascript=javascript) as window:
        await window.go("/join/appeals")
        await window.page.fill("[name=email]", ROSA)
        await window.page.locator("form button").first.click()
        confirm = token_in((await relay.wait_for(1))[0], "confirm")
        await window.go(f"/confirm/{confirm}")
        await window.page.locator("form button").first.click()
        leave = token_in((await relay.wait_for(2))[1], "leave")
        await window.go(f"/leave/{leave}")
        await window.page.locator("form button").first.click()

        assert "Open Appeals" in await window.text()
        if javascript:
            assert await axe_violations(window.page) == []
