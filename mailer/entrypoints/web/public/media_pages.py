"""Pictures and attachments of letters, by path; what a path means never changes, so browsers may keep it for ever."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mailer.actions.lists.media import load_media
from mailer.domain.letters.media import MEDIA_PATH, PATH, page_disposition
from mailer.entrypoints.web.responses import get_app
from mailer.errors import NotFound

_HEADERS = {
    # A file is data: whatever it holds runs nowhere, and other sites' pages (web mail) may show it.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


async def get_media(request: Request) -> Response:
    """The file, or 304 where the reader has it (RFC 9110 section 13.1.2)."""
    digest, name = request.path_params["digest"], request.path_params["name"]
    try:
        if not PATH.fullmatch(f"{MEDIA_PATH}{digest}/{name}"):
            raise NotFound("there is no such picture or attachment")
        file = await load_media(get_app(request), digest, name)
    except NotFound:
        return PlainTextResponse("There is no such file.\n", 404, headers=_HEADERS | {"Cache-Control": "no-store"})
    headers = _HEADERS | _FOR_EVER | {"ETag": f'"{file.digest}"'}
    if _has_it(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    kind = "inline" if file.is_picture else "attachment"
    headers["Content-Disposition"] = page_disposition(file, kind)
    # Starlette adds the charset of a text by itself.
    return Response(file.content, media_type=file.media_type, headers=headers)


def _has_it(request: Request, etag: str) -> bool:
    tags = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    return etag in tags or "*" in tags


MEDIA_ROUTE = Route(f"{MEDIA_PATH}{{digest}}/{{name}}", get_media)
