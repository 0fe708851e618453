"""Every GET of the console: what it asks for, and a path to open it by."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mailer.domain.role import Permission
from mailer.entrypoints.web.console.application import CONSOLE_ROUTES

READ, SEE_PEOPLE, WRITE = Permission.READ, Permission.SEE_PEOPLE, Permission.WRITE
MANAGE_SITE, MANAGE_LIST = Permission.MANAGE_SITE, Permission.MANAGE_LIST

NEEDED: dict[str, Permission | None] = {
    "/console": None,
    "/console/me": None,
    "/console/settings": None,
    "/console/settings/audit": MANAGE_LIST,
    "/console/settings/organisers": MANAGE_LIST,
    "/console/settings/sending": MANAGE_SITE,
    "/console/settings/sessions": MANAGE_SITE,
    "/console/campaigns": None,
    "/console/campaigns/calendar": None,
    "/console/campaigns/new": None,
    "/console/campaigns/{campaign_id:int}": READ,
    "/console/campaigns/{campaign_id:int}/live": READ,
    "/console/campaigns/{campaign_id:int}/live/stream": READ,
}
"""By path, as in CONSOLE_ROUTES: the permission on the list `appeals`; None for whoever has any role there."""
NOT_PAGES: dict[str, str] = {
    "/console/campaigns/{campaign_id:int}": "the way to the page where one goes on",
    "/console/campaigns/{campaign_id:int}/live/stream": "a stream of events",
}
"""Paths that answer a GET with something else than a page, and with what."""
GETS = tuple(sorted({route.path for route in CONSOLE_ROUTES if "GET" in (route.methods or ())}))
PAGES = tuple(path for path in GETS if path not in NOT_PAGES)

_EXAMPLES = {"language": "en", "name": "appeals", "word": "a" * 26, "subscriber_id": "2", "version": "1"}
_CAMPAIGN_OF = {"stream": "sent", "live": "sending", "report": "sent"}
"""Which campaign a page is looked at with, by a word of its path; every other page with the draft."""


def example_path(path: str, campaigns: Mapping[str, int], campaign: str | None = None) -> str:
    """A path to open, with examples for what is variable in a path of CONSOLE_ROUTES.

    `campaigns` are ids by what became of them, `campaign` is one of those; by default one that suits the page.
    """

    def example(found: re.Match[str]) -> str:
        if found[1] == "campaign_id":
            suited = next((state for word, state in _CAMPAIGN_OF.items() if f"/{word}" in path), "draft")
            return str(campaigns.get(campaign or suited, 1))
        return _EXAMPLES.get(found[1], "1")

    return re.sub(r"\{(\w+)(?::\w+)?\}", example, path)
