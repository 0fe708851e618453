"""SessionGuard: no page of the console answers without a session, and no other site's page can act through one."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mailer.actions.accounts.sessions import find_session
from mailer.app import App
from mailer.domain.site import Site
from mailer.entrypoints.web.console.session_cookie import SESSION, form_token, read_cookie

OPEN_PATHS = ("/console/sign-in", "/console/set-up")
"""Where one signs in: these pages, and those below them, answer without a session."""
_SAFE_METHODS = ("GET", "HEAD")
_LONGEST_PATH = 1000
"""Python does not read a number of more than 4,300 digits, and no page's path comes near."""
_IN_UTF_8 = re.compile(r"""[^;]*(?:;(?!\s*charset)[^;]*|;\s*charset="?utf-?8"?\s*)*""", re.IGNORECASE)
"""A Content-Type that names no charset but UTF-8. Other codecs of Python make text that cannot be stored or shown."""


class SessionGuard:
    """ASGI middleware that loads the session into `request.state`: `me` (None without one) and `form_token`.

    Without a session a page redirects to the sign-in page, and everything else is 401. A request that may change
    something must come from a page of ours: `Sec-Fetch-Site` says so, or else `Origin`.
    """

    def __init__(self, app: ASGIApp, mailer: App) -> None:
        self.app, self.mailer = app, mailer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        request = Request(scope, receive)
        answer = await self._refusal(request)
        await (answer or self.app)(scope, receive, send)

    async def _refusal(self, request: Request) -> Response | None:
        if len(request.url.path) > _LONGEST_PATH:
            return PlainTextResponse("There is no page with so long an address.\n", 414)
        if request.method not in _SAFE_METHODS and not is_own_page(request, self.mailer.site):
            return PlainTextResponse("This must be sent from a page of this site.\n", 403)
        if not _IN_UTF_8.fullmatch(request.headers.get("content-type", "")):
            return PlainTextResponse("Forms are read in UTF-8.\n", 415)
        word = read_cookie(request, self.mailer.site, SESSION)
        request.state.me = await find_session(self.mailer, word) if word else None
        request.state.form_token = form_token(word) if request.state.me else ""
        if request.state.me is not None or is_open(request.url.path):
            return None
        if request.method not in _SAFE_METHODS:
            return PlainTextResponse("Sign in first.\n", 401)
        here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        sign_in = f"{self.mailer.site.path}/console/sign-in?next={quote(here, safe='/')}"
        return RedirectResponse(sign_in, 303, headers={"Cache-Control": "no-store"})


def is_open(path: str) -> bool:
    """Whether this page answers without a session."""
    return any(path == one or path.startswith(f"{one}/") for one in OPEN_PATHS)


def is_own_page(request: Request, site: Site) -> bool:
    """Whether the browser says that a page of this site made the request (Fetch Metadata; RFC 6454 section 7)."""
    if fetch_site := request.headers.get("sec-fetch-site"):
        return fetch_site == "same-origin"
    url = urlsplit(site.url)
    return request.headers.get("origin") == f"{url.scheme}://{url.netloc}"
