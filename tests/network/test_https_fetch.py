"""HttpsClient fetches from the named host only, within its limits."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import pytest

from mailer.errors import FetchFailed
from mailer.network.https_fetch import resolve_public_host
from tests.support.fake_web_server import FakeWebServer, http_answer

HOST = "files.example.org"
URL = f"https://{HOST}/x"


@pytest.fixture
async def web() -> AsyncIterator[FakeWebServer]:
    async with FakeWebServer(HOST) as running:
        yield running


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(b"twelve seeds"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ntwelve\r\n6\r\n seeds\r\n0\r\n\r\n",
    ],
)
async def test_a_file_is_fetched(web, answer):
    web.answers["/x?a=1"] = answer

    assert await web.fetch().get(f"{URL}?a=1", HOST) == b"twelve seeds"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http_answer(b"", "302 Found", "Location: https://127.0.0.1/"), "answers 302"),
        (http_answer(b"", "404 Not Found"), "answers 404"),
        (http_answer(b"x" * 70_000), "answers too much"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000, "answers too much"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "closed the connection too early"),
        (b"HTTP/1.1 200 OK\r\n\r\nx", "closed the connection too early"),
        (b"220 mx.example.org ESMTP\r\n", "cannot be reached"),
        (b"", "closed the connection too early"),
    ],
)
async def test_incomplete_large_and_redirecting_responses_are_refused(web, answer, why):
    web.answers["/x"] = answer

    with pytest.raises(FetchFailed, match=why):
        await web.fetch().get(URL, HOST)
    assert web.requested_paths == ["/x"]


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/x",
        f"https://{HOST}:8443/x",
        f"https://mallory@{HOST}/x",
        "https://example.org/x",
        f"https://{HOST}.example.net/x",
        "file:///etc/passwd",
        "",
    ],
)
async def test_only_the_named_host_is_connected_to(web, url):
    with pytest.raises(FetchFailed, match="is not at https://"):
        await web.fetch().get(url, HOST)
    assert web.requested_paths == []


async def test_a_silent_server_times_out(web):
    web.answers["/x"] = None

    with pytest.raises(FetchFailed, match="did not answer within"):
        await web.fetch(timeout_s=0.05).get(URL, HOST)


async def test_a_server_with_an_untrusted_certificate_is_refused(web):
    for fetch in (web.fetch(make_ssl_context=ssl.create_default_context), web.fetch()):
        host = HOST if fetch.make_ssl_context is ssl.create_default_context else "example.net"
        with pytest.raises(FetchFailed, match="certificate verify failed"):
            await fetch.get(f"https://{host}/x", host)
    assert web.requested_paths == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
async def test_a_host_with_a_private_address_is_refused(host):
    with pytest.raises(FetchFailed, match="not at a public address"):
        await resolve_public_host(host)


async def test_a_public_address_is_accepted():
    assert await resolve_public_host("9.9.9.9") == [("9.9.9.9", 443)]
