"""Every GET of the console: what it asks for, and a path to open it by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mailer.domain.accounts.role import Permission
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
    "/console/settings/templates": MANAGE_SITE,
    "/console/settings/templates/_new": MANAGE_SITE,
    "/console/settings/templates/{template}": MANAGE_SITE,
    "/console/settings/templates/{template}/sample": MANAGE_SITE,
    "/console/settings/webmentions": WRITE,
    "/console/lists": None,
    "/console/lists/_new": MANAGE_SITE,
    "/console/lists/{name}": READ,
    "/console/lists/{name}/change": MANAGE_LIST,
    "/console/lists/{name}/design": MANAGE_LIST,
    "/console/subscribers": None,
    "/console/subscribers/{subscriber_id:int}": SEE_PEOPLE,
    "/console/campaigns": None,
    "/console/campaigns/calendar": None,
    "/console/campaigns/new": None,
    "/console/campaigns/{campaign_id:int}": READ,
    "/console/campaigns/{campaign_id:int}/review": READ,
    "/console/campaigns/{campaign_id:int}/check": READ,
    "/console/campaigns/{campaign_id:int}/live": READ,
    "/console/campaigns/{campaign_id:int}/live/stream": READ,
    "/console/campaigns/{campaign_id:int}/report": READ,
    "/console/campaigns/{campaign_id:int}/report/people": SEE_PEOPLE,
    "/console/campaigns/{campaign_id:int}/letters/{subscription_id:int}": SEE_PEOPLE,
    "/console/campaigns/{campaign_id:int}/letters/{subscription_id:int}/frame": SEE_PEOPLE,
    "/console/subscribers/{subscriber_id:int}/letters": SEE_PEOPLE,
    "/console/campaigns/{campaign_id:int}/write": READ,
    "/console/campaigns/{campaign_id:int}/write/{language}": READ,
    "/console/campaigns/{campaign_id:int}/write/{language}/versions": READ,
    "/console/campaigns/{campaign_id:int}/write/{language}/versions/{version:int}": READ,
    "/console/campaigns/{campaign_id:int}/editions": READ,
    "/console/campaigns/{campaign_id:int}/preview/{language}": READ,
    "/console/keys": None,
}
"""By path, as in CONSOLE_ROUTES: the permission on the list `appeals`; None for whoever has any role there."""
NOT_PAGES: dict[str, str] = {
    "/console/campaigns/{campaign_id:int}": "the way to the page where one goes on",
    "/console/campaigns/{campaign_id:int}/live/stream": "a stream of events",
    "/console/campaigns/{campaign_id:int}/preview/{language}": "the letter in its frame",
    "/console/campaigns/{campaign_id:int}/letters/{subscription_id:int}/frame": "somebody's letter in its frame",
    "/console/settings/templates/{template}/sample": "a sample letter in its frame",
    "/console/campaigns/{campaign_id:int}/write": "the way to the default edition",
}
"""Paths that answer a GET with something else than a page, and with what."""
_EXAMPLES = {"name": "appeals", "template": "walks", "word": "a" * 26, "subscriber_id": "2", "subscription_id": "2"}
_CAMPAIGNS_OF = {
    "stream": ("sent",),
    "live": ("sending", "paused", "scheduled", "uncertain"),
    "report": ("sent", "uncertain"),
    "review": ("draft", "scheduled"),
    "letters/{subscription_id:int}": ("uncertain", "sending"),
    "frame": ("uncertain",),
}
"""Which campaigns a page is looked at with, by the last word of its path; the others with the draft."""


@dataclass(frozen=True, slots=True)
class View:
    """A page to look at."""

    path: str
    """As in CONSOLE_ROUTES."""
    campaign: str | None = None
    """The campaign by what became of it, where the page is about one."""
    language: str = "en"
    """The edition, where it is about one."""
    version: str = "0"
    """The version, where it is about one."""

    def __str__(self) -> str:
        return f"{self.path} {self.campaign}" if self.campaign else self.path


def example_path(view: View, campaigns: Mapping[str, int]) -> str:
    """A path to open, with examples for what is variable; `campaigns` are ids by what became of them."""
    examples = _EXAMPLES | {"language": view.language, "version": view.version}

    def example(found: re.Match[str]) -> str:
        if found[1] == "campaign_id":
            return str(campaigns.get(view.campaign or "draft", 1))
        return examples.get(found[1], "1")

    return re.sub(r"\{(\w+)(?::\w+)?\}", example, view.path)


def views_of(path: str) -> tuple[View, ...]:
    """A path of CONSOLE_ROUTES with each campaign that it is looked at with."""
    if "{campaign_id" not in path:
        return (View(path),)
    states = next((states for word, states in _CAMPAIGNS_OF.items() if path.endswith(f"/{word}")), ("draft",))
    return tuple(View(path, state) for state in states)


GETS = tuple(sorted({route.path for route in CONSOLE_ROUTES if "GET" in (route.methods or ())}))
VIEWS = tuple(view for path in GETS if path not in NOT_PAGES for view in views_of(path))
"""Every page of the console."""
