"""Every page of the console, light and dark, in two directions of writing, wide and narrow: axe, sizes, the Tab key."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from typing import Any

import html5lib
import pytest
from playwright.async_api import Browser

from mailer.entrypoints.web.console.session_guard import is_open
from tests.support.browser import (
    DESKTOP,
    NARROWEST,
    PHONE,
    Theme,
    Window,
    axe_violations,
    layout_faults,
    open_window,
    unreachable_by_tab,
)
from tests.support.console_helpers import ADA_OWNER, PSEUDO_OWNER, House, Person, sign_in
from tests.support.console_pages import VIEWS, View, example_path

WAYS: tuple[tuple[Theme, Person, int], ...] = tuple(
    product(("light", "dark"), (ADA_OWNER, PSEUDO_OWNER), (DESKTOP, PHONE))
)
_WORDS = """() => [...document.querySelectorAll(
    "h1, h2, h3, label, button, th, legend, summary, p, dt, caption, figcaption, a")].map(one => {
        const copy = one.cloneNode(true);
        copy.querySelectorAll("bdi, [dir], time, code, kbd, input, select, textarea").forEach(data => data.remove());
        return one.closest("bdi, [dir]:not(html), code, kbd") ? "" : copy.textContent.trim();
    })"""
"""All sentences and names of fields and buttons, without what is not the page's own."""
READERS = pytest.mark.parametrize("who", [ADA_OWNER, PSEUDO_OWNER], ids=lambda one: one.language)


def each_page_in_each_way() -> list[Any]:
    """All but one way of each page are slow; which one that is goes round with the pages."""
    return [
        pytest.param(
            view,
            *way,
            id=f"{view} {way[0]} {way[1].language} {way[2]}",
            marks=[] if number % len(WAYS) == index else pytest.mark.slow,
        )
        for number, view in enumerate(VIEWS)
        for index, way in enumerate(WAYS)
    ]


@asynccontextmanager
async def looking_at(house: House, chromium: Browser, view: View, who: Person, **window: Any) -> AsyncIterator[Window]:
    """A window that shows the page; signed in, unless it is a page to sign in with."""
    async with open_window(chromium, house.url, language=who.language, **window) as opened:
        if not is_open(view.path):
            await sign_in(opened.context, house, who)
        status = await opened.go(example_path(view, house.campaigns))
        # No link of a sign-in letter is true here.
        assert status == 200 or ("{word}" in view.path and status < 500), status
        yield opened


@pytest.mark.parametrize(("view", "theme", "who", "width"), each_page_in_each_way())
async def test_axe_finds_nothing(
    house: House, chromium: Browser, view: View, theme: Theme, who: Person, width: int
) -> None:
    async with looking_at(house, chromium, view, who, theme=theme, width=width) as window:
        assert await axe_violations(window.page) == []


@READERS
@pytest.mark.parametrize("view", VIEWS, ids=str)
async def test_no_page_scrolls_sideways_or_cuts_text_at_320_pixels(
    house: House, chromium: Browser, view: View, who: Person
) -> None:
    async with looking_at(house, chromium, view, who, width=NARROWEST) as window:
        assert await layout_faults(window.page) == []


@pytest.mark.parametrize("view", VIEWS, ids=str)
async def test_every_act_of_a_page_is_reached_by_the_tab_key(house: House, chromium: Browser, view: View) -> None:
    async with looking_at(house, chromium, view, ADA_OWNER) as window:
        assert await unreachable_by_tab(window.page) == []


@pytest.mark.parametrize("view", VIEWS, ids=str)
async def test_each_page_is_in_the_readers_language_whole(house: House, chromium: Browser, view: View) -> None:
    """What no translator was given stands without brackets; names and texts of people are in `bdi` or `dir=auto`."""
    async with looking_at(house, chromium, view, PSEUDO_OWNER) as window:
        assert await window.page.evaluate("document.documentElement.dir") == "rtl"
        words: list[str] = await window.page.evaluate(_WORDS)

    assert [one for one in words if re.search("[A-Za-z]{2}", one) and "[" not in one] == []


@pytest.mark.parametrize("view", VIEWS, ids=str)
async def test_each_page_is_html_without_errors(house: House, chromium: Browser, view: View) -> None:
    async with looking_at(house, chromium, view, ADA_OWNER) as window:
        answer = await window.context.request.get(example_path(view, house.campaigns))

        html5lib.HTMLParser(strict=True).parse(await answer.text())
