"""Letters in a real browser: nothing for axe to find, in the light and in the dark, and no letter scrolls sideways."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.browser.letter_screenshots import LOOKS, Look, open_letter
from tests.letters.sample_letters import TEMPLATES
from tests.support.browser import NARROWEST, PHONE, axe_violations

LONG = [look for look in LOOKS if look.kind in {"long", "picture"}]
# A mail program shows a letter within a page of its own, which has the landmarks. The list chooses the colour: contrast
# is that of WCAG's level AA with any, but not always AAA.
NOT_OF_LETTERS = ("region", "landmark-one-main", "page-has-heading-one", "color-contrast-enhanced")


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
@pytest.mark.parametrize("template", TEMPLATES.letter_names)
async def test_axe_finds_nothing_in_a_letter(chromium: Browser, template: str, look: Look) -> None:
    async with open_letter(chromium, template, look, width=PHONE) as page:
        found = await axe_violations(page)

    assert [one for one in found if not one.startswith(NOT_OF_LETTERS)] == []


@pytest.mark.parametrize(
    "look", [look for look in LOOKS if look.kind in {"long", "picture"}], ids=lambda look: look.name
)
@pytest.mark.parametrize("template", TEMPLATES.letter_names)
async def test_no_letter_scrolls_sideways_at_320_pixels(chromium: Browser, template: str, look: Look) -> None:
    async with open_letter(chromium, template, look, width=NARROWEST) as page:
        assert await page.evaluate("document.documentElement.scrollWidth") <= NARROWEST


async def test_columns_stand_side_by_side_where_there_is_room_and_fold_on_a_phone(chromium: Browser) -> None:
    tops = {}
    for width in (PHONE, 700):
        async with open_letter(chromium, "appeal", Look("long", "en", "light", "long"), width=width) as page:
            boxes = [
                await one.bounding_box() for one in await page.locator(".column .column, .columns > .column").all()
            ]
            tops[width] = {round(box["y"]) for box in boxes if box}

    assert (len(tops[PHONE]), len(tops[700])) == (2, 1)
