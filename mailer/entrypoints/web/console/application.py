"""The console's routes, and the page that answers each kind of error."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.app import App
from mailer.entrypoints.web.console import (
    archive,
    campaigns,
    check,
    editions,
    keys,
    letters,
    list_design,
    lists,
    live,
    me,
    media,
    organisers,
    preview,
    report,
    review,
    settings,
    sign_in,
    subscribers,
    templates,
    today,
    versions,
    webmentions,
    write,
)
from mailer.entrypoints.web.console.live_snapshots import LiveSnapshots
from mailer.entrypoints.web.console.pages import render_console
from mailer.entrypoints.web.console.preflight_runs import PreflightRuns
from mailer.entrypoints.web.console.session_guard import SessionGuard
from mailer.error_kind import ErrorKind
from mailer.errors import MailerError

CONSOLE_ROUTES: tuple[Route, ...] = (
    *today.ROUTES,
    *campaigns.ROUTES,
    *review.ROUTES,
    *check.ROUTES,
    *live.ROUTES,
    *subscribers.ROUTES,
    *lists.ROUTES,
    *list_design.ROUTES,
    *settings.ROUTES,
    *templates.ROUTES,
    *organisers.ROUTES,
    *me.ROUTES,
    *report.ROUTES,
    *archive.ROUTES,
    *sign_in.ROUTES,
    *write.ROUTES,
    *media.ROUTES,
    *preview.ROUTES,
    *letters.ROUTES,
    *editions.ROUTES,
    *versions.ROUTES,
    *webmentions.ROUTES,
    *keys.ROUTES,
)
"""All pages and acts of the console. Each module of this package has its own ROUTES."""

_STATUSES = {
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.REFUSED: 403,
    ErrorKind.GONE: 410,
    ErrorKind.CONFLICT: 409,
    ErrorKind.MISCONFIGURED: 409,
    ErrorKind.INVALID: 422,
    ErrorKind.UNPROCESSABLE: 422,
    ErrorKind.UNAVAILABLE: 503,
}
"""The status for each kind of error; every other kind is a fault of ours, 500."""


def console_routes(app: App) -> list[Route]:
    """Two routes that give everything at and below /console to an application of its own."""
    console = _console_app(app)
    return [Route("/console", console), Route("/console/{rest:path}", console)]


def _console_app(app: App) -> Starlette:
    handlers: dict[Any, Any] = {HTTPException: _http_error, MailerError: _mailer_error, Exception: _server_error}
    console = Starlette(
        routes=CONSOLE_ROUTES, exception_handlers=handlers, middleware=[Middleware(SessionGuard, mailer=app)]
    )
    console.router.redirect_slashes = False
    console.state.app, console.state.live = app, LiveSnapshots(app)
    console.state.preflights = PreflightRuns(app)
    return console


async def _http_error(request: Request, refusal: HTTPException) -> Response:
    headers = dict(refusal.headers or {})
    return render_console(
        request, "problem", status=refusal.status_code, headers=headers, status_code=refusal.status_code, problem=None
    )


async def _mailer_error(request: Request, error: MailerError) -> Response:
    if (status := _STATUSES.get(error.kind)) is None:
        raise error
    return render_console(request, "problem", status=status, status_code=status, problem=str(error))


async def _server_error(request: Request, _error: Exception) -> Response:
    return render_console(request, "problem", status=500, status_code=500, problem=None)
