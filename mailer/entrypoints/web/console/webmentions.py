"""Webmentions: pages elsewhere that link to letters in the archive; an organiser decides which are shown."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.archive.moderate_webmentions import accept_webmention, list_webmentions, reject_webmention
from mailer.entrypoints.web.console.pages import actor, read_console_form, redirect, render_console
from mailer.entrypoints.web.responses import get_app

_PATH = "/console/settings/webmentions"


async def show_webmentions(request: Request) -> Response:
    """Those that wait and those that were decided on, the newest first."""
    app = get_app(request)
    page = await list_webmentions(app, actor(request), after=request.query_params.get("after", ""))
    return render_console(request, "webmentions", page=page, is_open=app.archive.webmention)


async def post_accept(request: Request) -> Response:
    """Show one on its letter's page."""
    await read_console_form(request)
    await accept_webmention(get_app(request), actor(request), request.path_params["mention_id"])
    return redirect(request, _PATH, done="mention-accepted")


async def post_reject(request: Request) -> Response:
    """Do not show it, or not any more."""
    await read_console_form(request)
    await reject_webmention(get_app(request), actor(request), request.path_params["mention_id"])
    return redirect(request, _PATH, done="mention-rejected")


ROUTES = (
    Route(_PATH, show_webmentions),
    Route(f"{_PATH}/{{mention_id:int}}/accept", post_accept, methods=["POST"]),
    Route(f"{_PATH}/{{mention_id:int}}/reject", post_reject, methods=["POST"]),
)
