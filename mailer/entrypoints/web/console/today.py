"""Today: whether all is well, what needs somebody, what comes next."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.entrypoints.web.console.pages import render_console


async def show_today(request: Request) -> Response:
    """The first page."""
    return render_console(request, "today")


ROUTES = (Route("/console", show_today),)
