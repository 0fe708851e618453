"""No page of the console answers without a session, and no other site acts through one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from mailer.actions.accounts.sessions import open_session
from mailer.app import App
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.address import parse_address
from mailer.entrypoints.web.application import web_app
from mailer.entrypoints.web.console.application import CONSOLE_ROUTES
from mailer.entrypoints.web.console.session_cookie import form_token
from mailer.entrypoints.web.console.session_guard import is_open
from mailer.store.accounts import organisers
from tests.support.app_helpers import ADA, DOMAIN

SITE = f"https://{DOMAIN}"
OURS = {"Sec-Fetch-Site": "same-origin"}
_EXAMPLES = {"campaign_id": "1", "language": "en", "name": "appeals", "word": "a" * 26}


def client(app: App, cookie: str | None = None) -> httpx.AsyncClient:
    cookies = {"__Host-mailer": cookie} if cookie else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(web_app(app)), base_url=SITE, cookies=cookies)


@pytest.fixture
async def cookie(app: App) -> str:
    """Ada's, who owns the site."""
    now = app.clock()
    organiser_id, _ = await app.database.write(
        organisers.add, parse_address(ADA), name="Ada", language="en", zone="UTC", now=now
    )
    await app.database.write(organisers.add_grant, organiser_id, Grant(role=Role.OWNER))
    word, _ = await open_session(app, organiser_id, device="Firefox on Linux")
    return word


@pytest.fixture
async def ada(app: App, cookie: str) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app, cookie) as browser:
        yield browser


def paths() -> list[tuple[str, str]]:
    """Each page and act of the console, with samples for what is variable in its path."""
    found = []
    for route in CONSOLE_ROUTES:
        path = route.path
        for name in route.param_convertors:
            path = path.replace(
                route.path[route.path.index("{" + name) :].split("}")[0] + "}", _EXAMPLES.get(name, "1")
            )
        found += [(method, path) for method in sorted(route.methods or ())]
    return found


async def test_nothing_answers_without_a_session(app: App) -> None:
    async with client(app) as browser:
        for method, path in paths():
            if not is_open(path):
                response = await browser.request(method, path, headers=OURS)
                if method in {"GET", "HEAD"}:
                    assert response.status_code == 303, path
                    assert response.headers["location"].startswith("/console/sign-in?next=/console"), path
                else:
                    assert response.status_code == 401, path


async def test_an_unknown_cookie_is_no_session(app: App, cookie: str) -> None:
    for word in ("", "x", cookie[:-1], cookie + "a", cookie.upper() + "é"):
        async with client(app) as browser:
            headers = {"Cookie": f"__Host-mailer={word}".encode()}
            assert (await browser.get("/console", headers=headers)).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site", "Origin": SITE},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://mallory.example"},
        {"Origin": "null"},
        {"Origin": f"{SITE}.mallory.example"},
        {"Origin": f"http://{DOMAIN}"},
    ],
)
async def test_only_our_own_pages_can_act(ada: httpx.AsyncClient, headers: dict[str, str]) -> None:
    refused = await ada.post("/console/nothing", headers=headers)

    assert refused.status_code == 403


@pytest.mark.parametrize("headers", [OURS, {"Origin": SITE}])
async def test_our_own_pages_are_let_through(ada: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await ada.post("/console/nothing", headers=headers)).status_code == 404


@pytest.mark.parametrize("charset", ["unicode_escape", '"utf-7"', "punycode", "undefined", "utf-8; charset=utf-7"])
async def test_a_form_in_a_charset_that_no_browser_sends_is_refused(ada: httpx.AsyncClient, charset: str) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="address"\r\n\r\n\\ud800+2AA-\xff\r\n--x--\r\n'

    for kind in (f"multipart/form-data; boundary=x; charset={charset}", f"multipart/form-data;CHARSET={charset}"):
        answer = await ada.post("/console/sign-in", content=part, headers=OURS | {"content-type": kind})

        assert answer.status_code == 415, kind


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", ';charset="UTF-8"'])
async def test_forms_in_utf_8_are_read(ada: httpx.AsyncClient, charset: str) -> None:
    part = 'Content-Disposition: form-data; name="address"\r\n\r\nrosa in Gül\r\n'
    kind = {"content-type": f"multipart/form-data; boundary=x{charset}"}

    answer = await ada.post("/console/sign-in", content=f"--x\r\n{part}--x--\r\n".encode(), headers=OURS | kind)

    assert answer.status_code == 422
    assert "rosa in Gül" in answer.text


async def test_a_path_is_no_longer_than_any_page_has(ada: httpx.AsyncClient) -> None:
    for path in ("campaigns", "subscribers", "campaigns/1/write/en/versions"):
        assert (await ada.get(f"/console/{path}/{'9' * 5000}")).status_code == 414
        assert (await ada.get(f"/console/{path}/{'9' * 900}")).status_code == 404


async def test_every_page_has_the_consoles_headers(ada: httpx.AsyncClient) -> None:
    for path in ("/console", "/console/nothing"):
        page = await ada.get(path)

        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "'unsafe" not in policy
        assert "require-trusted-types-for 'script'" in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"


async def test_the_console_is_found_below_the_path_of_the_site(app: App, cookie: str) -> None:
    below = replace(app, site=replace(app.site, url=f"{SITE}/lists"))

    async with client(below, cookie) as browser:
        page = await browser.get("/lists/console")
        signed_out = await httpx.AsyncClient(transport=httpx.ASGITransport(web_app(below)), base_url=SITE).get(
            "/lists/console/campaigns?q=a"
        )

    assert page.status_code == 200
    assert 'href="/lists/console/campaigns"' in page.text
    assert signed_out.headers["location"] == "/lists/console/sign-in?next=/console/campaigns%3Fq%3Da"


def test_a_form_token_belongs_to_one_session() -> None:
    assert form_token("one") != form_token("two")
    assert form_token("one") == form_token("one")


async def test_who_finds_a_weakness_is_told_whom_to_tell(app: App) -> None:
    async with client(app) as browser:
        text = (await browser.get("/.well-known/security.txt")).text

    assert "Contact: mailto:owner@example.net" in text
    assert "Expires: 20" in text
