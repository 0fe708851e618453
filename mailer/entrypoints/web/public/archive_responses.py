"""Answers of the archive: their headers, ETag and 304, for everybody or for one subscriber."""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailer.domain.letters.media import MEDIA_PATH
from mailer.entrypoints.web.responses import get_app
from mailer.entrypoints.web.static_files import static_url

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation "
    "allow-top-navigation-to-custom-protocols"
)
"""What a letter brings along can load nothing, run nothing and ask nothing; its links work, mailto: too."""
_HEADERS = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
_PUBLIC = _HEADERS | {"Cache-Control": "public, max-age=300", "Referrer-Policy": "strict-origin-when-cross-origin"}
_PERSONAL = _HEADERS | {
    "Cache-Control": "no-store",
    # The token stands in the address.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


def archive_page_response(
    request: Request,
    name: str,
    language: str,
    *,
    is_personal: bool,
    vary: bool = False,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> Response:
    """Render one of templates/pages in `language`; `vary` says that Accept-Language has chosen it."""
    app = get_app(request)
    stylesheet = f"{app.site.path}{static_url('pages.css')}"
    shared = {"site": app.site, "stylesheet": stylesheet, "is_personal": is_personal}
    body = app.templates.render(f"pages/{name}.html", language, **shared, **values)
    own = {"Content-Language": language} | ({"Vary": "Accept-Language"} if vary else {}) | (headers or {})
    return archive_response(request, body, "text/html; charset=utf-8", is_personal=is_personal, headers=own)


def archive_response(
    request: Request, body: str, media_type: str, *, is_personal: bool = False, headers: dict[str, str]
) -> Response:
    """The body; or 304 without one, if a cache has it already (RFC 9110 section 13.1.2)."""
    if is_personal:
        return Response(body, media_type=media_type, headers=_PERSONAL | headers)
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    headers = _PUBLIC | headers | {"ETag": tag}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def moved(request: Request, path: str, *, is_personal: bool) -> Response:
    """The way to the page of a letter whose title has changed; `path` is below the site's URL."""
    shared = _PERSONAL if is_personal else _PUBLIC
    return RedirectResponse(f"{get_app(request).site.path}{path}", 302 if is_personal else 301, headers=shared)


def place_pictures(html: str, site: str) -> str:
    """The HTML of an article with its pictures, and other files, below `site`: a URL, or only its path."""
    return html.replace(f'src="{MEDIA_PATH}', f'src="{site}{MEDIA_PATH}').replace(
        f'href="{MEDIA_PATH}', f'href="{site}{MEDIA_PATH}'
    )
