"""What all pages share: the App of a request, the reader's language, forms of limited size, security headers."""

from __future__ import annotations

import re
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailer.app import App
from mailer.domain.language import parse_language
from mailer.domain.letters.media import MOST_OCTETS
from mailer.entrypoints.web.static_files import static_url

PROVIDER_CALLS_PATH, CONSOLE_PATH = "/hooks/", "/console/"
_MOST_FORM_OCTETS = 64 * 1024
_MOST_OCTETS = {PROVIDER_CALLS_PATH: 1024 * 1024, CONSOLE_PATH: 2 * 1024 * 1024}
"""One call of a provider may report many letters; a letter's text has up to 100,000 characters, percent-encoded."""
_TAKES_FILES = re.compile(r"/console/(?:campaigns/\d+/write/[^/]+/media|lists/[^/]+/design)")
"""Forms of organisers that hold pictures or attachments."""
_MOST_UPLOADED_OCTETS = MOST_OCTETS + _MOST_FORM_OCTETS + 1024 * 1024
"""A file, and the letter's text with it."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # the token stands in the address
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}


def get_app(request: Request) -> App:
    """The App that this web application serves."""
    app: App = request.app.state.app
    return app


def get_client_address(request: Request) -> str | None:
    """The IP address of the client; behind a trusted proxy, the address that the proxy names."""
    return request.client.host if request.client else None


def set_page_language(request: Request, language: str | None) -> None:
    """Answer this request in the language of its reader, errors included; None if it is not known."""
    request.state.language = language


def render_page(request: Request, name: str, *preferred: str | None, status: int = 200, **values: Any) -> HTMLResponse:
    """Render one of templates/pages in the first language that there is.

    In this order: the reader's own (`set_page_language`), `preferred`, those of Accept-Language, the list's.
    """
    app = get_app(request)
    own = getattr(request.state, "language", None)
    language = app.language(own, *preferred, *accepted_languages(request), *(_list_language(values)))
    stylesheet = f"{app.site.path}{static_url('pages.css')}"
    body = app.templates.render(f"pages/{name}.html", language, site=app.site, stylesheet=stylesheet, **values)
    return HTMLResponse(body, status, headers=_HEADERS | {"Content-Language": language})


def accepted_languages(request: Request) -> list[str | None]:
    """The tags in Accept-Language, best first (RFC 9110 section 12.5.4)."""
    weighted = []
    for part in request.headers.get("accept-language", "")[:500].split(","):
        tag, _, weight = part.partition(";q=")
        try:
            weighted.append((float(weight or 1), parse_language(tag)))
        except ValueError:
            continue
    return [tag for _, tag in sorted(weighted, key=lambda one: -one[0])]


def _list_language(values: dict[str, Any]) -> list[str]:
    mailing_list = values.get("mailing_list")
    return [mailing_list.language] if mailing_list else []


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a posted form, urlencoded or multipart; files are dropped. 400 if its charset cannot read it."""
    try:
        async with request.form(max_files=4, max_fields=40) as form:
            # Some charsets make lone surrogates, which can be neither stored nor shown.
            return {
                name: value.encode(errors="replace").decode() for name, value in form.items() if isinstance(value, str)
            }
    except UnicodeError:
        raise HTTPException(400, "This form cannot be read.") from None


def _most_octets(path: str) -> int:
    """How much a request to a path may hold."""
    if _TAKES_FILES.fullmatch(path):
        return _MOST_UPLOADED_OCTETS
    return next((most for start, most in _MOST_OCTETS.items() if path.startswith(start)), _MOST_FORM_OCTETS)


class BoundedBody:
    """ASGI middleware that refuses a request body with 413 while it is read, once it exceeds the limit of its path."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count the octets of its body."""
        octets = 0
        path = scope.get("path", "")
        most = _most_octets(path)

        async def counting_receive() -> Message:
            nonlocal octets
            message = await receive()
            octets += len(message.get("body", b""))
            if octets > most:
                raise HTTPException(413, "That is more than anybody has to say here.")
            return message

        await self.app(scope, counting_receive, send)
