"""Signing in and out through the pages, as browsers and scanners do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from mailer.actions.accounts.organisers import give_role
from mailer.actions.accounts.show_organisers import show_organisers
from mailer.actions.accounts.sign_in import make_set_up_link, make_sign_in_link
from mailer.app import App
from mailer.domain.accounts.role import Role
from mailer.entrypoints.web.application import web_app
from mailer.entrypoints.web.console.session_cookie import form_token
from mailer.store.queue import lane_holds
from mailer.store.queue.lane_holds import Hold
from tests.support.app_helpers import ADA, ADMIN, DOMAIN, MALLORY, Clock, recipients, send_notices, text_of
from tests.support.fake_relay import FakeRelay

SITE = f"https://{DOMAIN}"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


def browser(app: App, url: str = SITE) -> httpx.AsyncClient:
    headers = {"Sec-Fetch-Site": "same-origin", "User-Agent": FIREFOX}
    return httpx.AsyncClient(transport=httpx.ASGITransport(web_app(app)), base_url=url, headers=headers)


@pytest.fixture
async def ada(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """Ada's browser; she owns the site, and is not signed in."""
    await give_role(app, ADMIN, ADA, Role.OWNER, zone="Europe/Berlin")
    async with browser(app) as client:
        yield client


async def ask(app: App, client: httpx.AsyncClient, address: str = ADA, **fields: str) -> httpx.Response:
    answer = await client.post("/console/sign-in", data={"address": address, **fields})
    await send_notices(app)
    return answer


def read_letter(relay: FakeRelay) -> tuple[str, str]:
    """The path of the link and the code in the newest letter."""
    text = text_of(relay.letters[-1])
    link, code = re.search(r"https?://[^/]*(/\S+)", text), re.search(r"\b([A-Z]{4}-[A-Z]{4})\b", text)
    assert link, text
    assert code, text
    return link[1], code[1]


async def test_a_link_lets_in_the_browser_that_asked_and_leads_where_it_wanted_to_go(
    app: App, ada: httpx.AsyncClient, relay: FakeRelay
) -> None:
    turned_away = await ada.get("/console/lists?x=1")
    page = await ada.get(turned_away.headers["location"])
    assert 'name="next" value="/console/lists?x=1"' in page.text
    asked = await ask(app, ada, next="/console/lists?x=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/console/sign-in/wait")
    link, _ = read_letter(relay)

    assert "Sign in here" in (await ada.get(link)).text
    let_in = await ada.post(link)

    assert (let_in.status_code, let_in.headers["location"]) == (303, "/console/lists?x=1")
    cookie = next(one for one in let_in.headers.get_list("set-cookie") if one.startswith("__Host-mailer="))
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert (await ada.get("/console")).status_code == 200
    assert (await ada.get("/console/sign-in")).headers["location"] == "/console"
    assert (await ada.get(link)).status_code == 410


async def test_a_scanner_that_opens_the_link_uses_nothing_up(
    app: App, ada: httpx.AsyncClient, relay: FakeRelay
) -> None:
    await ask(app, ada)
    link, _ = read_letter(relay)

    async with browser(app) as scanner:
        for method in ("GET", "HEAD", "GET", "POST"):
            assert (await scanner.request(method, link)).status_code == 403
        assert "works in another browser" in (await scanner.get(link)).text
        assert (await scanner.get("/console")).status_code == 303

    assert (await ada.post(link)).headers["location"] == "/console"


async def test_a_code_is_typed_where_it_was_asked_for(app: App, ada: httpx.AsyncClient, relay: FakeRelay) -> None:
    await ask(app, ada)
    _, code = read_letter(relay)

    wrong = await ada.post("/console/sign-in/code", data={"code": "BBBB-BBBB"})
    assert wrong.status_code == 422
    assert 'aria-invalid="true"' in wrong.text
    let_in = await ada.post("/console/sign-in/code", data={"code": f" {code.lower()} "})

    assert let_in.headers["location"] == "/console"
    assert (await ada.get("/console")).status_code == 200


async def test_after_too_many_codes_the_page_points_to_the_link(
    app: App, ada: httpx.AsyncClient, relay: FakeRelay
) -> None:
    await ask(app, ada)
    for _ in range(5):
        await ada.post("/console/sign-in/code", data={"code": "BBBB-BBBB"})

    page = await ada.get("/console/sign-in/wait")

    assert "Too many codes" in page.text
    assert 'name="code"' not in page.text


async def test_a_strangers_pages_are_the_same_as_an_organisers_and_no_letter_goes(
    app: App, ada: httpx.AsyncClient, relay: FakeRelay, clock: Clock
) -> None:
    pages = []
    for address in (ADA, MALLORY):
        async with browser(app) as client:
            answer = await ask(app, client, address)
            seen = [(answer.status_code, answer.headers["location"], answer.text)]
            for minutes in (0, 5, 30):
                clock.now += timedelta(minutes=minutes)
                page = await client.get("/console/sign-in/wait")
                seen.append((page.status_code, re.sub(r"\d\d:\d\d", "", page.text)))
            pages.append(seen)

    assert recipients(relay) == [ADA]
    assert pages[0] == pages[1]
    assert "Not yet handed" in pages[0][1][1]
    assert "Handed to the relay" in pages[0][2][1]
    assert "too old" in pages[0][3][1]


async def test_a_relay_that_takes_nothing_is_told_to_everybody_alike(
    app: App, ada: httpx.AsyncClient, clock: Clock
) -> None:
    until = clock() + timedelta(minutes=5)
    hold = Hold(lane=f"relay {app.relays[0]}", until=until, reason="connection refused")
    await app.database.write(lane_holds.set_hold, hold, clock())
    await ada.post("/console/sign-in", data={"address": MALLORY})

    page = (await ada.get("/console/sign-in/wait")).text

    assert "Not yet handed to the relay: it takes no letters for now and is tried again at 08:05 UTC" in page
    assert "mailer organiser login" in page
    assert "connection refused" not in page


@pytest.mark.parametrize("address", ["", "ada", "ada@", "<script>@example.org"])
async def test_what_is_no_address_is_said_so_beside_the_field(ada: httpx.AsyncClient, address: str) -> None:
    answer = await ada.post("/console/sign-in", data={"address": address})

    assert answer.status_code == 422
    assert 'id="address-problem"' in answer.text
    assert "<script>@" not in answer.text


async def test_too_many_letters_are_refused_in_words(ada: httpx.AsyncClient) -> None:
    answers = [(await ada.post("/console/sign-in", data={"address": ADA})).status_code for _ in range(12)]

    assert answers == [303] * 10 + [429] * 2


@pytest.mark.parametrize("place", ["https://mallory.example", "//mallory.example", "/leave/x", "/console/\\x"])
async def test_nobody_is_led_elsewhere_after_signing_in(
    app: App, ada: httpx.AsyncClient, relay: FakeRelay, place: str
) -> None:
    assert "mallory" not in (await ada.get("/console/sign-in", params={"next": place})).text
    await ask(app, ada, next=place)

    assert (await ada.post(read_letter(relay)[0])).headers["location"] == "/console"


async def test_the_set_up_page_makes_the_first_owner(app: App) -> None:
    path = str(await make_set_up_link(app)).removeprefix(SITE)
    async with browser(app) as client:
        for _ in range(2):
            assert "Become the owner" in (await client.get(path)).text
        form = {"address": ADA, "name": "Ada", "language": "de", "zone": "Europe/Berlin"}
        for field, bad in (("address", "ada"), ("zone", "Mars/Olympus"), ("name", "A\x07da")):
            refused = await client.post(path, data=form | {field: bad})
            assert refused.status_code == 422
            assert f'id="{field}-problem"' in refused.text

        made = await client.post(path, data=form)

        assert (made.status_code, made.headers["location"]) == (303, "/console")
        assert (await client.get("/console")).status_code == 200
        assert (await client.get(path)).status_code == 410
        assert (await client.post(path, data=form)).status_code == 410
    (owner,) = [one.organiser for one in await show_organisers(app, ADMIN)]
    assert (owner.address, owner.name, owner.zone, owner.is_site_owner) == (ADA, "Ada", "Europe/Berlin", True)


async def test_signing_out_ends_the_session(app: App, ada: httpx.AsyncClient) -> None:
    link = (await make_sign_in_link(app, ADMIN, ADA)).removeprefix(SITE)
    await ada.post(link)
    cookie = ada.cookies["__Host-mailer"]

    assert (await ada.post("/console/sign-out")).status_code == 403
    out = await ada.post("/console/sign-out", data={"form_token": form_token(cookie)})

    assert out.headers["location"] == "/console/sign-in?done=signed-out"
    ada.cookies.set("__Host-mailer", cookie, domain=DOMAIN)
    assert (await ada.get("/console")).status_code == 303


async def test_on_loopback_without_tls_the_cookie_has_no_prefix(app: App, relay: FakeRelay) -> None:
    local = replace(app, site=replace(app.site, url="http://127.0.0.1:8080"))
    await give_role(local, ADMIN, ADA, Role.OWNER)
    async with browser(local, "http://127.0.0.1:8080") as client:
        await ask(local, client)
        let_in = await client.post(read_letter(relay)[0])

        cookie = next(one for one in let_in.headers.get_list("set-cookie") if one.startswith("mailer="))
        assert "Secure" not in cookie
        assert (await client.get("/console")).status_code == 200


async def test_below_the_path_of_a_site_every_step_works(app: App, relay: FakeRelay) -> None:
    below = replace(app, site=replace(app.site, url=f"{SITE}/lists"))
    await give_role(below, ADMIN, ADA, Role.OWNER)
    async with browser(below) as client:
        turned_away = await client.get("/lists/console/campaigns")
        page = await client.get(turned_away.headers["location"])
        assert 'action="/lists/console/sign-in"' in page.text
        asked = await client.post("/lists/console/sign-in", data={"address": ADA, "next": "/console/campaigns"})
        assert asked.headers["location"] == "/lists/console/sign-in/wait"
        await send_notices(below)
        let_in = await client.post(read_letter(relay)[0])

    assert let_in.headers["location"] == "/lists/console/campaigns"
