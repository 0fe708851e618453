"""Links are asked as a browser would, over real TLS on loopback, and never of our own network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import FetchFailed
from mailer.network.link_check import LinkClient, LinkState
from mailer.network.page_request import resolve_public
from tests.support.fake_web_server import FakeWebServer, http_answer

HOST = "forum.example.org"
AT = f"https://{HOST}"


@pytest.fixture
async def web() -> AsyncIterator[FakeWebServer]:
    async with FakeWebServer(HOST) as server:
        server.answers["/come"] = http_answer(b"Come!")
        yield server


def client(web: FakeWebServer) -> LinkClient:
    async def resolve(host: str, port: int) -> Sequence[tuple[str, int]]:
        if host == HOST:
            return [("127.0.0.1", web.port)]
        return [] if host == "nowhere.example.org" else await resolve_public(host, port)

    return LinkClient(resolve=resolve, make_ssl_context=web.make_ssl_context)


async def test_a_page_that_is_there_answers_and_is_not_fetched(web: FakeWebServer) -> None:
    result = await client(web).check(f"{AT}/come")

    assert (result.state, result.message) == (LinkState.ANSWERS, "answers 200")
    assert web.requests == ["HEAD /come"]


@pytest.mark.parametrize("status", ["405 Method Not Allowed", "404 Not Found", "501 Not Implemented", "403 Forbidden"])
async def test_a_server_that_does_not_know_head_is_asked_as_people_ask(web: FakeWebServer, status: str) -> None:
    web.answers["HEAD /come"] = http_answer(b"", status)

    assert (await client(web).check(f"{AT}/come")).state is LinkState.ANSWERS
    assert web.requests == ["HEAD /come", "GET /come"]


@pytest.mark.parametrize(
    ("status", "state", "message"),
    [
        ("404 Not Found", LinkState.GONE, "answers 404: there is no such page"),
        ("410 Gone", LinkState.GONE, "answers 410: there is no such page"),
        ("403 Forbidden", LinkState.UNCLEAR, "answers 403 to a program; people may see the page"),
        ("500 Broken", LinkState.UNCLEAR, "answers 500"),
    ],
)
async def test_what_a_server_says_is_told(web: FakeWebServer, status: str, state: LinkState, message: str) -> None:
    web.answers["/x"] = http_answer(b"", status)

    result = await client(web).check(f"{AT}/x")

    assert (result.state, result.message) == (state, message)


async def test_redirects_are_followed_and_told(web: FakeWebServer) -> None:
    web.answers["/old"] = http_answer(b"", "301 Moved Permanently", "Location: /older?a=b")
    web.answers["/older?a=b"] = http_answer(b"", "302 Found", f"Location: {AT}/come")
    web.answers["/dead"] = http_answer(b"", "301 Moved Permanently", "Location: /nothing")

    moved, dead = await client(web).check_many([f"{AT}/old", f"{AT}/dead"])

    assert (moved.state, moved.message) == (LinkState.MOVED, f"answers 200 after a redirect to {AT}/come")
    assert (dead.state, dead.url) == (LinkState.GONE, f"{AT}/dead")


async def test_a_circle_of_redirects_ends(web: FakeWebServer) -> None:
    web.answers["/round"] = http_answer(b"", "302 Found", "Location: /round")

    result = await client(web).check(f"{AT}/round")

    assert (result.state, result.message) == (LinkState.UNCLEAR, "redirects more than 5 times")
    assert len(web.requests) == 6


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:8080/hooks",
        "https://[::1]/",
        "http://169.254.169.254/latest",
        "https://10.0.0.1/",
        "http://[64:ff9b::10.0.0.1]/",
        "https://[",
        "http://[::1",
        "file:///x",
    ],
)
async def test_no_redirect_leads_into_our_network(web: FakeWebServer, target: str) -> None:
    web.answers["/in"] = http_answer(b"", "302 Found", f"Location: {target}")

    result = await client(web).check(f"{AT}/in")

    assert result.state is LinkState.UNCLEAR
    assert "public address" in result.message or "no address of a page" in result.message
    assert web.requests == ["HEAD /in"]


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "::1", "localhost", "192.168.1.1", "100.64.0.1", "0.0.0.0", "2130706433", "0x7f.1"),
        # Through a gateway these lead to 127.0.0.1, 169.254.169.254 and 10.0.0.1.
        *("::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:a00:1::1", "fec0::1"),
    ],
)
async def test_addresses_that_are_not_public_are_refused(host: str) -> None:
    with pytest.raises(FetchFailed, match="public address"):
        await resolve_public(host, 443)


@pytest.mark.parametrize("host", ["192.0.43.8", "2001:500:88:200::8", "64:ff9b::c000:2b08", "2002:c000:2b08::1"])
async def test_addresses_of_the_internet_are_asked(host: str) -> None:
    assert await resolve_public(host, 443) == [(host, 443)]


async def test_a_host_that_does_not_exist_is_gone(web: FakeWebServer) -> None:
    result = await client(web).check("https://nowhere.example.org/come")

    assert result.state is LinkState.GONE
    assert result.message == "leads to nowhere.example.org, which the DNS does not know"


async def test_a_server_that_is_silent_cut_off_or_not_trusted_is_unclear(web: FakeWebServer) -> None:
    web.answers["/silent"] = None
    web.answers["/cut"] = b"HTTP/1.1 200 O"
    web.answers["/noise"] = b"220 mail.example.org ESMTP\r\n\r\n"
    web.answers["/long"] = b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000
    asked = replace(client(web), timeout_s=0.5)
    doubter = LinkClient(resolve=asked.resolve)

    found = await asked.check_many([f"{AT}/silent", f"{AT}/cut", f"{AT}/noise", f"{AT}/long"])
    untrusted = await doubter.check(f"{AT}/come")

    assert {one.state for one in found} == {LinkState.UNCLEAR}
    assert found[0].message == "did not answer within 0.5 s"
    assert "certificate that is not trusted" in untrusted.message


async def test_only_a_few_are_asked_at_once(web: FakeWebServer) -> None:
    now, most = 0, 0

    async def resolve(host: str, port: int) -> Sequence[tuple[str, int]]:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return []

    asked = replace(client(web), resolve=resolve, at_once=3)

    assert len(await asked.check_many([f"{AT}/{number}" for number in range(20)])) == 20
    assert most == 3


@given(path=st.text(max_size=40))
def test_no_path_ends_the_request_line(path: str) -> None:
    """The server sees one request line, whatever stands in the link."""

    async def ask() -> list[str]:
        async with FakeWebServer(HOST) as web:
            await client(web).check(f"{AT}/{path}")
            return web.requests

    for request in asyncio.run(ask()):
        assert request.split()[0] in {"HEAD", "GET"}
        assert request.isascii()
