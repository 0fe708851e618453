"""Hands that count: what a person clicks and fills in, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Page
from playwright.async_api import TimeoutError as NotThere


@dataclass(slots=True)
class Hands:
    """A person at a page. Links and buttons are found by their words, fields by their labels."""

    page: Page
    clicks: int = 0
    fields: int = 0

    async def press(self, words: str, *, exact: bool = False) -> None:
        """Press a button or follow a link whose name holds these words."""
        button = self.page.get_by_role("button", name=words, exact=exact)
        link = self.page.get_by_role("link", name=words, exact=exact)
        wanted = button.or_(link).and_(self.page.locator("main *")).first
        try:
            await wanted.click()
        except NotThere as error:
            shown = await self.page.locator("main").inner_text()
            raise AssertionError(f"no button or link {words!r} on {self.page.url}:\n{shown}") from error
        self.clicks += 1

    async def fill(self, label: str, text: str) -> None:
        """Fill in a field."""
        typed = self.page.locator("textarea, input:not([type=radio], [type=checkbox])")
        await self.page.get_by_label(label, exact=True).and_(typed).fill(text)
        self.fields += 1

    async def choose(self, label: str, word: str) -> None:
        """Choose from a list of choices, which takes a click."""
        await self.page.get_by_label(label, exact=True).select_option(label=word)
        self.clicks += 1

    async def tick(self, label: str) -> None:
        """Tick a box."""
        await self.page.get_by_label(label).check()
        self.clicks += 1
