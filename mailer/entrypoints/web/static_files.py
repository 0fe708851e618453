"""Static files: served under names that contain a hash of their content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STATIC_PATH = "/static/"
_FOLDER = Path(__file__).parents[2] / "static"
_HASH_DIGITS = 16
_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class _StaticFile:
    content: bytes
    media_type: str


def static_url(name: str) -> str:
    """The path of a file in mailer/static, below the path of the site: `/static/pages.0123456789abcdef.css`."""
    return STATIC_PATH + _hashed_names()[name]


def static_route() -> Route:
    """The route that serves all static files; any other name, an older hash too, is a 404."""
    return Route(f"{STATIC_PATH}{{name}}", _get_static_file)


async def _get_static_file(request: Request) -> Response:
    file = _static_files().get(request.path_params["name"])
    if file is None:
        raise HTTPException(404)
    return Response(file.content, media_type=file.media_type, headers=_HEADERS)


@cache
def _hashed_names() -> dict[str, str]:
    return {path.name: _hashed_name(path) for path in sorted(_FOLDER.iterdir())}


@cache
def _static_files() -> dict[str, _StaticFile]:
    return {
        _hashed_names()[path.name]: _StaticFile(path.read_bytes(), mimetypes.guess_type(path.name)[0] or "text/plain")
        for path in sorted(_FOLDER.iterdir())
    }


def _hashed_name(path: Path) -> str:
    return f"{path.stem}.{hashlib.sha256(path.read_bytes()).hexdigest()[:_HASH_DIGITS]}{path.suffix}"
