"""Every page of the console with a path to open it by, read from the table of routes."""

from __future__ import annotations

import re

from mailer.entrypoints.web.console.application import CONSOLE_ROUTES
from tests.support.console_helpers import House

NOT_PAGES: dict[str, str] = {}
"""Paths that answer a GET with something else than a page, and with what."""
PAGES = tuple(
    sorted({route.path for route in CONSOLE_ROUTES if "GET" in (route.methods or ()) and route.path not in NOT_PAGES})
)
"""The paths of all pages, as in CONSOLE_ROUTES."""
_EXAMPLES = {"language": "en", "name": "appeals", "word": "a" * 26, "subscriber_id": "2", "version": "1"}
_CAMPAIGN_OF = {"live": "sending", "report": "sent"}
"""Which campaign a page is looked at with, by a word of its path; every other page with the draft."""


def path_in(house: House, page: str) -> str:
    """A path to open a page of PAGES by, with examples for what is variable in it."""

    def example(found: re.Match[str]) -> str:
        if found[1] == "campaign_id":
            wanted = next((state for word, state in _CAMPAIGN_OF.items() if page.endswith(f"/{word}")), "draft")
            return str(house.campaigns.get(wanted, 1))
        return _EXAMPLES.get(found[1], "1")

    return re.sub(r"\{(\w+)(?::\w+)?\}", example, page)
