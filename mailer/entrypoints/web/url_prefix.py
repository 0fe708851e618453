"""Serves the pages below the path of service.url, whether the proxy passes that path on or removes it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send


class UrlPrefix:
    """ASGI middleware that finds pages with the prefix before their path and without it.

    It also removes doubled and trailing slashes. A redirect would not do: we do not know the Host that it would have to
    name, and it would lose the body of a POST.
    """

    def __init__(self, app: ASGIApp, prefix: str, routes: Sequence[BaseRoute]) -> None:
        self.app, self.prefix, self.routes = app, _split_segments(unquote(prefix)), routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Replace the path in the scope by the page's own path."""
        if scope["type"] == "http":
            scope = {**scope, "path": self._own_path(scope)}
        await self.app(scope, receive, send)

    def _own_path(self, scope: Scope) -> str:
        path = _split_segments(scope["path"])
        if self.prefix and path[: len(self.prefix)] == self.prefix:
            without = _join_segments(path[len(self.prefix) :])
            # A prefix like /join is a page, too: the proxy has passed it on only if a page is left without it.
            if any(route.matches({**scope, "path": without})[0] is not Match.NONE for route in self.routes):
                return without
        return _join_segments(path)


def _split_segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _join_segments(segments: list[str]) -> str:
    return "/" + "/".join(segments)
