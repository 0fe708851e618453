"""DemoService: the real service on free ports, with an inbox in the place of the relay."""

from __future__ import annotations

import asyncio
import secrets
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import aiosmtplib
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mailer.actions.accounts.organisers import give_role
from mailer.actions.accounts.sessions import open_session
from mailer.actions.maintenance.migrate import check_schema
from mailer.app import App
from mailer.bootstrap import open_app
from mailer.demo.inbox import Inbox
from mailer.demo.inbox_pages import inbox_app
from mailer.demo.sink import open_sink
from mailer.domain.accounts.actor import unix_user
from mailer.domain.accounts.device import describe_device
from mailer.domain.accounts.organiser import SESSION_LIFETIME, Organiser
from mailer.domain.accounts.role import Role
from mailer.domain.keyring import KEY_OCTETS, Keyring, write_keyring
from mailer.entrypoints.service.listening_socket import open_listening_socket
from mailer.entrypoints.service.serve import ListeningPorts, run_service
from mailer.entrypoints.web.console.session_cookie import SESSION, set_cookie
from mailer.entrypoints.web.server import WebServer
from mailer.settings.load import Settings, check_settings

DOMAIN = "lists.example.org"
HOST = "127.0.0.1"
ADA = "ada@example.org"
DEMO = unix_user("demo")


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoService:
    """The running service and the inbox, with helpers that act as a person would."""

    app: App
    inbox: Inbox
    ports: ListeningPorts
    inbox_port: int

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.ports.web_port}"

    @property
    def inbox_url(self) -> str:
        return f"http://{HOST}:{self.inbox_port}"

    async def get(self, path: str) -> tuple[int, str]:
        """GET a page of the service; returns status and body."""
        return await asyncio.to_thread(_fetch, f"{self.base_url}{path}", None)

    async def post(self, path: str) -> tuple[int, str]:
        """Press the button of a page; returns status and body."""
        return await asyncio.to_thread(_fetch, f"{self.base_url}{path}", b"List-Unsubscribe=One-Click")

    async def mail(self, sender: str, to: str, subject: str = "", body: str = "") -> int:
        """Send a mail to the service; returns the SMTP code of the answer."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, to, subject
        message["Message-ID"] = f"<{secrets.token_hex(8)}@example.org>"
        message.set_content(body)
        try:
            async with aiosmtplib.SMTP(
                hostname=HOST, port=self.ports.intake_port, local_hostname="example.org"
            ) as client:
                await client.sendmail(sender, [to], message.as_bytes())
        except aiosmtplib.SMTPRecipientsRefused as refusal:
            return refusal.recipients[0].code
        return 250


@asynccontextmanager
async def run_demo_service(folder: Path) -> AsyncIterator[DemoService]:
    """Run the service, its database and secret in `folder`, while the block runs."""
    inbox = Inbox(lambda: datetime.now(UTC))
    async with open_sink(inbox) as relay_port:
        app, settings = _open_app(folder, relay_port)
        async with run_service(app, settings.intake, settings.web) as ports, _serve_inbox(app, inbox) as port:
            yield DemoService(app=app, inbox=inbox, ports=ports, inbox_port=port)


def _open_app(folder: Path, relay_port: int) -> tuple[App, Settings]:
    keyring = Keyring(secrets.token_bytes(KEY_OCTETS), ((1, secrets.token_bytes(KEY_OCTETS)),))
    (folder / "secret").write_text(write_keyring(keyring))
    with open_listening_socket(HOST, 0, "the demo's pages") as free:
        web_port = free.getsockname()[1]
    settings = check_settings(
        {
            "service": {"name": "Open Letters", "domain": DOMAIN, "url": f"http://{HOST}:{web_port}"},
            "intake": {"port": 0},
            "web": {"port": web_port},
            "relay": ({"port": relay_port, "connections": 10},),
        },
        folder / "settings.toml",
        ignore_environment=True,  # the environment may name a real service with a real database
    )
    check_schema(settings)
    return open_app(settings), settings


async def _enter_console(app: App, request: Request) -> Response:
    """Show Today to whoever opens this, signed in as Ada: a browser sends a cookie to every port of its host."""
    device = describe_device(request.headers.get("user-agent", ""))
    cookie, _ = await open_session(app, (await find_ada(app)).id, device=device)
    response = RedirectResponse(f"{app.site.url}/console", 303)
    set_cookie(response, app.site, SESSION, cookie, int(SESSION_LIFETIME.total_seconds()))
    return response


async def find_ada(app: App) -> Organiser:
    """Ada, who owns the demo's site; at the first call she is made."""
    return await give_role(app, DEMO, ADA, Role.OWNER, name="Ada Lindqvist", zone="Europe/Berlin")


@asynccontextmanager
async def _serve_inbox(app: App, inbox: Inbox) -> AsyncIterator[int]:
    web = inbox_app(inbox, app.templates, Route("/console", partial(_enter_console, app)))
    with open_listening_socket(HOST, 0, "the demo's inbox") as listener:
        server = WebServer(web)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        await task


def _fetch(url: str, posted: bytes | None) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, posted, timeout=10) as answer:  # noqa: S310 (our own loopback address)
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()
