"""Debian's Chromium for tests: windows that note every violation and error, axe, and a check of the layout."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Response, async_playwright

Theme = Literal["light", "dark"]

PHONE, DESKTOP, NARROWEST = 390, 1280, 320
"""Widths in CSS pixels; the narrowest is that of WCAG 1.4.10."""
HEIGHT = 900
_PATIENCE_MS = 15_000
"""How long a page or a button is waited for that must come."""
_SCRIPTS = Path(__file__).parent / "browser_scripts"
_HARMLESS = (
    # Chromium says so of each sandboxed frame that Playwright looks into.
    "Blocked script execution in",
)


def find_chromium() -> str | None:
    """The browser of this machine: $MAILER_TEST_CHROMIUM, else Debian's; None without one."""
    names = (os.environ.get("MAILER_TEST_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@asynccontextmanager
async def running_chromium(executable: str) -> AsyncIterator[Browser]:
    """A headless browser without windows, while the block runs."""
    async with async_playwright() as playwright:
        # Its own sandbox needs a user; tests may run as root. Software drawing is the same on every machine.
        browser = await playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]
        )
        yield browser
        await browser.close()


@dataclass(frozen=True, slots=True)
class Window:
    """A person's browser window: its own cookies and storage. `problems` is what it complained of."""

    context: BrowserContext
    page: Page
    problems: list[str] = field(default_factory=list)

    async def go(self, path: str) -> int:
        """Open a page; its status."""
        answer = await self.page.goto(path)
        assert answer is not None, path
        return answer.status

    async def heading(self) -> str:
        """The text of the page's first heading."""
        return (await self.page.locator("h1").first.inner_text()).strip()

    async def text(self) -> str:
        """The text that the page shows."""
        return await self.page.locator("body").inner_text()


@asynccontextmanager
async def open_window(
    browser: Browser,
    url: str,
    *,
    width: int = DESKTOP,
    theme: Theme = "light",
    language: str = "en",
    javascript: bool = True,
    **options: Any,
) -> AsyncIterator[Window]:
    """A new window on the site at `url`. After the block it is closed, and must have complained of nothing:

    no violation of the content security policy, no script error, no answer of 500 or above.
    """
    context = await browser.new_context(
        base_url=url,
        viewport={"width": width, "height": HEIGHT},
        color_scheme=theme,
        locale=language,
        reduced_motion="reduce",
        java_script_enabled=javascript,
        **options,
    )
    try:
        context.set_default_timeout(_PATIENCE_MS)
        window = Window(context, await context.new_page())
        _note_problems(window)
        await context.expose_binding("reportViolation", lambda _source, text: window.problems.append(text))
        await context.add_init_script(path=_SCRIPTS / "report_violations.js")
        yield window
    finally:
        await context.close()
    assert window.problems == []


def _note_problems(window: Window) -> None:
    def on_console(message: ConsoleMessage) -> None:
        # A page that answers 404 is an answer; its status is what tests look at.
        refused = message.text.startswith("Failed to load resource") and "status of 4" in message.text
        if message.type == "error" and not refused and not message.text.startswith(_HARMLESS):
            window.problems.append(f"console: {message.text}")

    def on_response(response: Response) -> None:
        if response.status >= 500:
            window.problems.append(f"{response.request.method} {response.url}: {response.status}")

    window.context.on("console", on_console)
    window.context.on("weberror", lambda error: window.problems.append(f"script: {error.error}"))
    window.context.on("response", on_response)


@cache
def _axe_source() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


async def axe_violations(page: Page) -> list[str]:
    """What axe finds on the page, of any impact: `rule: selector: what is wrong`. Frames are left out."""
    rules = {name: {"enabled": True} for name in ("color-contrast-enhanced", "target-size")}
    options = json.dumps({"resultTypes": ["violations"], "rules": rules, "iframes": False})
    # Through the debugger, because the page's policy forbids eval and Trusted Types forbid scripts from text.
    session = await page.context.new_cdp_session(page)
    await session.send("Runtime.evaluate", {"expression": f"{_axe_source()};0"})
    answer = await session.send(
        "Runtime.evaluate",
        {"expression": f"axe.run({options}).then(JSON.stringify)", "awaitPromise": True, "returnByValue": True},
    )
    await session.detach()
    assert "exceptionDetails" not in answer, answer
    return [
        f"{rule['id']}: {node['target']}: {node['failureSummary'].splitlines()[-1].strip()}"
        for rule in json.loads(answer["result"]["value"])["violations"]
        for node in rule["nodes"]
    ]


async def layout_faults(page: Page) -> list[str]:
    """Where the page scrolls sideways, or text is cut off or lies outside the window."""
    faults: list[str] = await page.evaluate((_SCRIPTS / "layout_faults.js").read_text())
    return faults


async def unreachable_by_tab(page: Page) -> list[str]:
    """Links, buttons and fields that are shown, and that the Tab key does not reach."""
    await page.evaluate((_SCRIPTS / "number_controls.js").read_text())
    number: int = await page.evaluate("document.querySelectorAll('[data-control]').length")
    # The parts of a date and of an hour are stops of their own.
    dated: int = await page.evaluate("document.querySelectorAll('input[type=date], input[type=time]').length")
    # So are the links of a letter in its frame.
    framed: int = await page.evaluate("document.querySelectorAll('iframe').length")
    reached: set[str | None] = set()
    for _ in range(number + 5 + 4 * dated + 20 * framed):
        await page.keyboard.press("Tab")
        reached.add(await page.evaluate("document.activeElement?.dataset?.control ?? null"))
    left: list[str] = await page.evaluate(
        """reached => [...document.querySelectorAll("[data-control]")]
            .filter(one => !reached.includes(one.dataset.control))
            .map(one => one.outerHTML.slice(0, 120))""",
        [one for one in reached if one is not None],
    )
    return left
