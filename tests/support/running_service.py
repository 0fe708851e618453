"""The whole service in a test's own loop, with its doors on free ports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from mailer.app import App
from mailer.entrypoints.service.serve import ListeningPorts, run_service
from mailer.settings.intake_tables import IntakeSettings
from mailer.settings.toml_tables import WebSettings


@dataclass(frozen=True, slots=True)
class RunningService:
    """A running service and a browser."""

    app: App
    ports: ListeningPorts
    browser: httpx.AsyncClient


@asynccontextmanager
async def running_service(app: App, **web: Any) -> AsyncIterator[RunningService]:
    """Open the doors of an App, with these settings of [web]."""
    async with run_service(app, IntakeSettings(port=0), WebSettings(**{"port": 0} | web)) as ports:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports.web_port}") as browser:
            yield RunningService(app, ports, browser)
