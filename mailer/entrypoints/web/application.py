"""The web application: the routes, and the page that answers each kind of error."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mailer.actions.subscriptions.look_up import all_lists
from mailer.app import App
from mailer.domain.letters.archive_paths import VIEW_PAGE
from mailer.entrypoints.web.console.application import console_routes
from mailer.entrypoints.web.forwarded_for import ForwardedFor
from mailer.entrypoints.web.provider_calls import post_provider_call
from mailer.entrypoints.web.public import archive_pages, token_pages, webmention
from mailer.entrypoints.web.public.join_page import post_join, show_join
from mailer.entrypoints.web.public.legacy_pages import legacy_routes
from mailer.entrypoints.web.public.media_pages import MEDIA_ROUTE
from mailer.entrypoints.web.responses import PROVIDER_CALLS_PATH, BoundedBody, get_app, render_page
from mailer.entrypoints.web.static_files import static_route
from mailer.entrypoints.web.url_prefix import UrlPrefix
from mailer.error_kind import ErrorKind
from mailer.errors import MailerError

_SECURITY_TXT_DAYS = 180
_ERROR_PAGES = {
    ErrorKind.NOT_FOUND: ("not_found", 404),
    ErrorKind.REFUSED: ("not_found", 404),
    ErrorKind.GONE: ("expired", 410),
    ErrorKind.UNAVAILABLE: ("server_error", 503),
    ErrorKind.MISCONFIGURED: ("server_error", 503),
}
"""The page and the status for each kind of error; every other kind is a fault of ours, 500."""


def web_app(app: App, trusted_proxies: Sequence[str] = ()) -> Starlette:
    """The pages of one App, below the path of its url. `trusted_proxies` are addresses and networks."""
    routes = [
        Route("/", _home),
        Route("/health", _health),
        Route("/robots.txt", _robots),
        Route("/favicon.ico", _no_icon),
        Route("/.well-known/security.txt", _security_txt),
        static_route(),
        MEDIA_ROUTE,
        *legacy_routes(app),
        Route("/join/{name}", show_join),
        Route("/join/{name}", post_join, methods=["POST"]),
        Route("/confirm/{token}", token_pages.post_confirm, methods=["POST"]),
        Route("/leave/{token}", token_pages.post_leave, methods=["POST"]),
        Route("/rejoin/{token}", token_pages.post_rejoin, methods=["POST"]),
        Route("/never/{token}", token_pages.post_never, methods=["POST"]),
        Route(f"{PROVIDER_CALLS_PATH}{{provider}}", post_provider_call, methods=["POST"]),
        *archive_pages.ROUTES,
        *webmention.ROUTES,
        *console_routes(app),
        Route("/{way}/{token}", _show_token_page),
    ]
    handlers: dict[Any, Any] = {404: _not_found, HTTPException: _http_error}
    handlers |= {MailerError: _mailer_error, Exception: _server_error}
    middleware = [
        Middleware(ForwardedFor, trusted_proxies=trusted_proxies),
        Middleware(UrlPrefix, prefix=app.site.path, routes=routes),
        Middleware(BoundedBody),
    ]
    web = Starlette(routes=routes, exception_handlers=handlers, middleware=middleware)
    web.router.redirect_slashes = False
    web.state.app = app
    return web


async def _show_token_page(request: Request) -> Response:
    if request.path_params["way"] not in token_pages.PURPOSES:
        raise HTTPException(404)
    return await token_pages.show_token_page(request)


async def _home(request: Request) -> Response:
    return render_page(request, "home", mailing_lists=await all_lists(get_app(request)))


async def _health(_request: Request) -> Response:
    """Answers only when the whole service is open: the web server starts last."""
    return PlainTextResponse("ok\n")


async def _robots(request: Request) -> Response:
    """Exclude robots from personal links; they may preview the other pages."""
    path = get_app(request).site.path
    personal = "".join(f"Disallow: {path}/{way}/\n" for way in (*token_pages.PURPOSES, VIEW_PAGE, "console"))
    return PlainTextResponse(f"User-agent: *\n{personal}")


async def _security_txt(request: Request) -> Response:
    """Whom to tell of a weakness (RFC 9116)."""
    app = get_app(request)
    expires = (app.clock() + timedelta(days=_SECURITY_TXT_DAYS)).strftime("%Y-%m-%dT00:00:00Z")
    languages = ", ".join(app.console_templates.languages)
    return PlainTextResponse(
        f"Contact: mailto:{app.site.owner}\nExpires: {expires}\nPreferred-Languages: {languages}\n"
        f"Canonical: {app.site.url}/.well-known/security.txt\n"
    )


async def _no_icon(_request: Request) -> Response:
    return Response(status_code=204, headers={"Cache-Control": "max-age=604800"})


async def _not_found(request: Request, _refusal: Exception) -> Response:
    return render_page(request, "not_found", status=404)


async def _mailer_error(request: Request, error: MailerError) -> Response:
    if error.kind not in _ERROR_PAGES:
        raise error
    page, status = _ERROR_PAGES[error.kind]
    return render_page(request, page, status=status, **({"mailing_list": None} if page == "expired" else {}))


async def _server_error(request: Request, _error: Exception) -> Response:
    return render_page(request, "server_error", status=500)


async def _http_error(_request: Request, refusal: HTTPException) -> Response:
    return PlainTextResponse(f"{refusal.detail}\n", refusal.status_code, headers=refusal.headers)
