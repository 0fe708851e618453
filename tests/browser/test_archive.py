"""The archive in a real browser: nothing for axe to find, nothing cut off, nothing asked of others, links that work."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser

from mailer.actions.lists.edit_list import set_list
from mailer.actions.lists.media import add_media
from mailer.app import App
from mailer.domain.token import Purpose, sign_token
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    EMMA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
)
from tests.support.browser import DESKTOP, NARROWEST, PHONE, Theme, axe_violations, layout_faults, open_window
from tests.support.running_service import RunningService, running_service

BLOCKS = """\
---
subject: Bread, seeds and a very long table for everybody
lead: What we did in March.
tags: [harvest, "a tag of several words"]
source: {text: The bulletin, url: "https://forum.example.org/bulletin"}
---
Dear {{ name or "friend" }},[^1]

## What we did

![Apples in a basket](PICTURE "Apples of the old orchard")

![A table](https://elsewhere.example.org/table.jpg)

> Never so many kinds of apple.

::: callout
**Mind the hour.**
:::

:::: columns
::: column
### Seeds
Bring your own.
:::
::: column
### Bread
One loaf each.
:::
::::

| Day | What |
|---|---|
| Friday | Seeds |

[See the programme](https://forum.example.org/programme){.button}

::: signature
Rosa
:::

[^1]: Whoever you are.
"""
ARABIC = """\
---
subject: تعالوا إلى منتدى الحصاد
language: ar
lead: مساء واحد عن البذور.
tags: [الحصاد]
---
أحضروا **بذوركم** معكم من Harvest forum.
"""
PAGES = (
    "/archive/appeals",
    "/archive/appeals/2027",
    "/archive/appeals/tags/harvest",
    "/archive/appeals/1-letter",
    "/archive/appeals/2-letter",
    "/archive/appeals/2-letter/ar",
)


@pytest_asyncio.fixture(loop_scope="session")
async def service(app: App, clock: Clock) -> AsyncIterator[RunningService]:
    """The running service with Ada's public list, and two letters with all that letters may have."""
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")
    await set_list(app, ADMIN, "appeals", archive="public", description="Letters on seeds.")
    octets = io.BytesIO()
    Image.linear_gradient("L").resize((1200, 800)).convert("RGB").save(octets, "JPEG")
    picture = await add_media(app, ADMIN, list_name="appeals", name="apples.jpg", octets=octets.getvalue())
    await launch_campaign(app, en=APPEAL)
    clock.advance(days=1)
    await launch_campaign(app, en=BLOCKS.replace("PICTURE", picture.path), ar=ARABIC)
    await send_campaigns(app)
    async with running_service(app) as running:
        yield running


def url_of(service: RunningService) -> str:
    return f"http://127.0.0.1:{service.ports.web_port}"


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_in_the_archive(
    service: RunningService, chromium: Browser, theme: Theme, width: int, language: str
) -> None:
    # Its policy lets no script run, that of axe neither.
    options = {"width": width, "theme": theme, "language": language, "bypass_csp": True}
    async with open_window(chromium, url_of(service), **options) as window:
        for path in PAGES:
            assert await window.go(path) == 200
            assert await axe_violations(window.page) == [], path


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_no_page_of_the_archive_scrolls_sideways_or_cuts_text_at_320_pixels(
    service: RunningService, chromium: Browser, language: str
) -> None:
    options = {"width": NARROWEST, "language": language, "bypass_csp": True}
    async with open_window(chromium, url_of(service), **options) as window:
        for path in PAGES:
            await window.go(path)
            assert await layout_faults(window.page) == [], path


async def test_a_page_asks_for_its_stylesheet_and_its_own_pictures_and_nothing_else(
    service: RunningService, chromium: Browser
) -> None:
    asked = []
    async with open_window(chromium, url_of(service)) as window:
        window.page.on("response", lambda answer: asked.append((answer.url, answer.status)))
        await window.go("/archive/appeals/2-letter")
        await window.page.wait_for_load_state("networkidle")

    assert {status for _, status in asked} == {200, 301}
    assert {url.removeprefix(url_of(service)).split("/")[1] for url, _ in asked} == {"archive", "static", "media"}


async def test_one_walks_from_the_form_to_join_to_a_letter_and_its_other_language_and_back(
    service: RunningService, chromium: Browser
) -> None:
    async with open_window(chromium, url_of(service)) as window:
        await window.go("/join/appeals")
        await window.page.get_by_role("link", name="All letters").click()
        await window.page.get_by_role("link", name="Bread, seeds").click()
        await window.page.get_by_role("link", name="العربية").click()
        arabic = await window.heading()
        await window.page.get_by_role("link", name="كل الرسائل").click()
        index = await window.heading()
        await window.page.get_by_role("link", name="#harvest").first.click()
        await window.page.get_by_role("link", name="Subscribe to Open Appeals").click()
        joining = await window.page.locator("#email").count()

    assert arabic == "تعالوا إلى منتدى الحصاد"
    assert index == "Open Appeals"
    assert joining == 1


async def test_a_subscriber_reads_in_the_browser_what_only_subscribers_may(
    service: RunningService, chromium: Browser
) -> None:
    await set_list(service.app, ADMIN, "appeals", archive="subscribers")
    token = sign_token(service.app.site.keyring, Purpose.VIEW, 1)
    async with open_window(chromium, url_of(service), bypass_csp=True) as window:
        for path in ("", "/1-letter", "/2-letter/ar"):
            assert await window.go(f"/view/{token}{path}") == 200
            assert await axe_violations(window.page) == []
