"""Every page of the console, light and dark, in two directions of writing, wide and narrow: axe, sizes, Tab."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from typing import Any

import pytest
from playwright.async_api import Browser

from mailer.entrypoints.web.console.session_guard import is_open
from tests.support.browser import (
    DESKTOP,
    HEIGHT,
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


def each_page_in_each_way() -> list[Any]:
    """One page in three is looked at quickly, in one way, which goes round with the pages; all the others are slow."""
    return [
        pytest.param(
            view,
            *way,
            id=f"{view} {way[0]} {way[1].language} {way[2]}",
            marks=[] if number % 3 == 0 and number // 3 % len(WAYS) == index else pytest.mark.slow,
        )
        for number, view in enumerate(VIEWS)
        for index, way in enumerate(WAYS)
    ]


def each_page_some_slow() -> list[Any]:
    """Each page; seven of eight are slow."""
    marked = pytest.mark.slow
    return [pytest.param(one, id=str(one), marks=marked if index % 8 else []) for index, one in enumerate(VIEWS)]


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
async def test_axe_finds_nothing_and_nothing_is_cut_off_at_320_pixels(
    house: House, chromium: Browser, view: View, theme: Theme, who: Person, width: int
) -> None:
    async with looking_at(house, chromium, view, who, theme=theme, width=width) as window:
        assert await axe_violations(window.page) == []

        await window.page.set_viewport_size({"width": NARROWEST, "height": HEIGHT})
        assert await layout_faults(window.page) == []


@pytest.mark.parametrize("view", each_page_some_slow())
async def test_every_act_of_a_page_is_reached_by_the_tab_key(house: House, chromium: Browser, view: View) -> None:
    async with looking_at(house, chromium, view, ADA_OWNER) as window:
        assert await unreachable_by_tab(window.page) == []
