"""The web server: uvicorn without its signal handlers, its log and its reading of proxy headers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


class WebServer(uvicorn.Server):
    """Serves an application on a socket that is listening already, until `should_exit` is set."""

    def __init__(self, application: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                proxy_headers=False,  # ForwardedFor reads them, as the settings say
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the service."""
        yield
