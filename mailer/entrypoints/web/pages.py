"""The web application: which page answers where, and what each refusal looks like to a browser."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mailer.actions.joining.look_up import all_lists
from mailer.app import App
from mailer.entrypoints.web import ways
from mailer.entrypoints.web.hooks import post_hook
from mailer.entrypoints.web.join import post_join, show_join
from mailer.entrypoints.web.page import HOOKS, BoundedBody, app_of, page
from mailer.errors import DatabaseUnavailable, NoRoom, NotFound, NothingPending, TokenRefused


def web_app(app: App) -> Starlette:
    """All pages, for one App."""
    routes = [
        Route("/", _home),
        Route("/health", _health),
        Route("/join/{name}", show_join),
        Route("/join/{name}", post_join, methods=["POST"]),
        Route("/confirm/{token}", ways.post_confirm, methods=["POST"]),
        Route("/leave/{token}", ways.post_leave, methods=["POST"]),
        Route("/rejoin/{token}", ways.post_rejoin, methods=["POST"]),
        Route("/never/{token}", ways.post_never, methods=["POST"]),
        Route(f"{HOOKS}{{provider}}", post_hook, methods=["POST"]),
        Route("/{way}/{token}", _show_way),
    ]
    refused: dict[Any, Any] = dict.fromkeys((404, TokenRefused, NotFound), _not_found)
    refused |= dict.fromkeys((DatabaseUnavailable, NoRoom, Exception), _trouble)
    refused |= {NothingPending: _expired, HTTPException: _refused}
    web = Starlette(routes=routes, exception_handlers=refused, middleware=[Middleware(BoundedBody)])
    web.state.app = app
    return web


async def _show_way(request: Request) -> Response:
    if request.path_params["way"] not in ways.PURPOSES:
        raise HTTPException(404)
    return await ways.show(request)


async def _home(request: Request) -> Response:
    return page(request, "home", mailing_lists=await all_lists(app_of(request)))


async def _health(_request: Request) -> Response:
    """Served only once every door is open: the pages open last."""
    return PlainTextResponse("ok\n")


async def _not_found(request: Request, _refusal: Exception) -> Response:
    return page(request, "not_found", status=404)


async def _expired(request: Request, _refusal: Exception) -> Response:
    return page(request, "expired", status=410, mailing_list=None)


async def _trouble(request: Request, trouble: Exception) -> Response:
    return page(request, "trouble", status=503 if isinstance(trouble, DatabaseUnavailable | NoRoom) else 500)


async def _refused(_request: Request, refusal: HTTPException) -> Response:
    return PlainTextResponse(f"{refusal.detail}\n", refusal.status_code, headers=refusal.headers)
