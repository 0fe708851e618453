"""Pictures of every page of the console, for people to look at, and one sheet with all of them.

make screenshots                            or: python -m tests.browser.screenshots --only campaigns
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import html
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser

from mailer.entrypoints.web.console.session_guard import is_open
from mailer.store.migration import migrate_database
from tests.support.app_helpers import ROOT
from tests.support.browser import DESKTOP, HEIGHT, PHONE, Theme, Window, find_chromium, open_window, running_chromium
from tests.support.console_helpers import ADA_OWNER, PSEUDO_OWNER, House, Person, furnish_database, open_house, sign_in
from tests.support.console_pages import VIEWS, View, example_path
from tests.support.fake_relay import FakeRelay

FOLDER = ROOT / "build" / "screenshots"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to look at all pages."""

    name: str
    theme: Theme
    who: Person
    width: int


WAYS = (
    Way("light", "light", ADA_OWNER, DESKTOP),
    Way("dark", "dark", ADA_OWNER, DESKTOP),
    Way("phone", "light", ADA_OWNER, PHONE),
    Way("rtl", "light", PSEUDO_OWNER, DESKTOP),
)

IN_DOCS = {
    "light-today": "today",
    "dark-today": "today-dark",
    "phone-today": "today-phone",
    "light-campaigns": "campaigns",
    "light-campaigns-calendar": "calendar",
    "light-campaigns-write-language-draft": "write",
    "light-campaigns-review-draft": "review",
    "light-campaigns-live-sending": "live",
    "light-campaigns-report-uncertain": "report",
    "rtl-campaigns-review-draft": "review-rtl",
}
"""The pictures that docs/console.md shows, by way and page."""


def main() -> int:
    """Take all pictures; exit 1 without a browser."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="pages whose path has this in it")
    parser.add_argument("--ways", default=",".join(way.name for way in WAYS), help="of light, dark, phone, rtl")
    options = parser.parse_args()
    executable = find_chromium()
    if executable is None:
        sys.stderr.write("no Chromium here: apt-get install chromium, or set MAILER_TEST_CHROMIUM\n")
        return 1
    began = time.monotonic()
    views = [view for view in VIEWS if options.only in str(view)]
    ways = [way for way in WAYS if way.name in options.ways.split(",")]
    taken = asyncio.run(_take_all(executable, views, ways))
    sys.stdout.write(f"{taken} pictures in {time.monotonic() - began:.0f} s: {FOLDER / 'index.html'}, sheet-*.png\n")
    return 0


async def _take_all(executable: str, views: list[View], ways: list[Way]) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        migrate_database(f"sqlite:///{folder / 'migrated.db'}", ROOT / "migrations")
        furniture = furnish_database(folder / "migrated.db", folder)
        async with FakeRelay() as relay, open_house(furniture, relay, folder) as house:
            async with running_chromium(executable) as browser:
                taken = await asyncio.gather(*(_take(browser, house, way, views) for way in ways))
                for way, files in zip(ways, taken, strict=True):
                    await _make_sheet(browser, way, files)
    _write_index([file for files in taken for file in files])
    return sum(map(len, taken))


async def _take(browser: Browser, house: House, way: Way, views: list[View]) -> list[Path]:
    """All pages in one way, from top to bottom; what the window complains of is for the tests to say."""
    files = []
    try:
        async with open_window(
            browser, house.url, width=way.width, theme=way.theme, language=way.who.language
        ) as window:
            for view in views:
                file = FOLDER / way.name / f"{_file_name(view)}.png"
                await _show(window, house, way, view)
                if (name := f"{way.name}-{file.stem}") in IN_DOCS:
                    await _save_for_docs(window, IN_DOCS[name])
                # As high as the page: what sticks to the window's end stands at the page's.
                height = await window.page.evaluate("document.documentElement.scrollHeight")
                await window.page.set_viewport_size({"width": way.width, "height": max(HEIGHT, height)})
                await window.page.screenshot(path=file, full_page=True, animations="disabled")
                await window.page.set_viewport_size({"width": way.width, "height": HEIGHT})
                files.append(file)
    except AssertionError as error:
        sys.stderr.write(f"{way.name}: {error}\n")
    return files


async def _save_for_docs(window: Window, name: str) -> None:
    """What the window shows, small enough to be kept in the repository."""
    session = await window.page.context.new_cdp_session(window.page)
    taken = await session.send("Page.captureScreenshot", {"format": "webp", "quality": 70})
    (ROOT / "docs" / "images" / f"{name}.webp").write_bytes(base64.b64decode(taken["data"]))
    await session.detach()


async def _show(window: Window, house: House, way: Way, view: View) -> None:
    if is_open(view.path):
        await window.context.clear_cookies()
    else:
        await sign_in(window.context, house, way.who)
    await window.go(example_path(view, house.campaigns))
    # Frames and live numbers come after the page; a stream of events never lets the network rest.
    for frame in window.page.frames[1:]:
        await frame.wait_for_load_state("load")
    await window.page.wait_for_timeout(150)


def _file_name(view: View) -> str:
    words = re.sub(r"\{(\w+)(:\w+)?\}/?", "", view.path).removeprefix("/console").strip("/").replace("/", "-")
    variable = view.path.rpartition("{")[2].partition("}")[0] if view.path.endswith("}") else ""
    return "-".join(filter(None, (words or "today", variable.partition(":")[0], view.campaign)))


def _sheet(files: list[Path]) -> str:
    figures = "".join(
        f'<figure><a href="{file.relative_to(FOLDER)}"><img src="{file.relative_to(FOLDER)}" alt=""></a>'
        f"<figcaption>{html.escape(file.parent.name)} {html.escape(file.stem)}</figcaption></figure>"
        for file in files
    )
    style = (
        "body{margin:12px;font:13px system-ui;columns:4;column-gap:12px}"
        "figure{margin:0 0 12px;break-inside:avoid}img{width:100%;border:1px solid #ccc}"
    )
    return f"<!doctype html><meta charset=utf-8><title>Pages of the console</title><style>{style}</style>{figures}"


async def _make_sheet(browser: Browser, way: Way, files: list[Path]) -> None:
    """All pages in one way, in one picture."""
    file = FOLDER / f"sheet-{way.name}.html"
    file.write_text(_sheet(files))
    page = await browser.new_page(viewport={"width": 1600, "height": 900})
    await page.goto(file.as_uri())
    await page.screenshot(path=FOLDER / f"sheet-{way.name}.png", full_page=True)
    await page.close()
    file.unlink()


def _write_index(files: list[Path]) -> None:
    (FOLDER / "index.html").write_text(_sheet(sorted(files, key=lambda file: (file.stem, file.parent.name))))


if __name__ == "__main__":
    sys.exit(main())
