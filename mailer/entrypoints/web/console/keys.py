"""The page that lists the keys."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.entrypoints.web.console.key_bindings import KEYS
from mailer.entrypoints.web.console.pages import render_console


async def show_keys(request: Request) -> Response:
    """The table of all keys, and the box that turns them off."""
    return render_console(request, "keys", keys=KEYS)


ROUTES = (Route("/console/keys", show_keys),)
