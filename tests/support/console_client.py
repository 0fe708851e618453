"""A client of the console's pages, in which an organiser is signed in, without a browser."""

from __future__ import annotations

import httpx

from mailer.actions.accounts.sessions import open_session
from mailer.app import App
from mailer.domain.accounts.organiser import Organiser
from mailer.domain.accounts.role import Grant
from mailer.domain.address import parse_address
from mailer.entrypoints.web.application import web_app
from mailer.entrypoints.web.console.session_cookie import form_token
from mailer.store.accounts import organisers
from tests.support.app_helpers import DOMAIN


class ConsoleClient(httpx.AsyncClient):
    """A client in which an organiser is signed in."""

    def __init__(self, app: App, cookie: str) -> None:
        super().__init__(
            transport=httpx.ASGITransport(web_app(app)),
            base_url=f"https://{DOMAIN}",
            cookies={"__Host-mailer": cookie},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        self.token = form_token(cookie)

    async def send_form(self, path: str, **fields: str) -> httpx.Response:
        """POST a form with this session's token."""
        return await self.post(path, data=fields | {"form_token": self.token})

    async def send_files(self, path: str, files: dict[str, tuple[str, bytes, str]], **fields: str) -> httpx.Response:
        """POST a form that holds files, by field: name, content, media type."""
        return await self.post(path, data=fields | {"form_token": self.token}, files=files)


async def open_client(app: App, organiser: Organiser, device: str = "Firefox on Linux") -> ConsoleClient:
    """Sign an organiser in."""
    return ConsoleClient(app, (await open_session(app, organiser.id, device=device))[0])


async def browser_of(app: App, address: str, *grants: Grant, zone: str = "Europe/Berlin") -> httpx.AsyncClient:
    """A browser in which a new organiser with these roles is signed in; it sends no Sec-Fetch-Site."""
    organiser_id, _ = await app.database.write(
        organisers.add, parse_address(address), name="", language="en", zone=zone, now=app.clock()
    )
    for grant in grants:
        await app.database.write(organisers.add_grant, organiser_id, grant)
    cookie, _ = await open_session(app, organiser_id, device="Firefox on Linux")
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(web_app(app)), base_url=f"https://{DOMAIN}", cookies={"__Host-mailer": cookie}
    )
