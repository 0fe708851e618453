"""Sources of Webmentions are fetched within limits, and never from our own network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from mailer.network.page_request import resolve_public
from mailer.network.webmention_source import SourceClient, SourceState
from tests.support.fake_web_server import FakeWebServer, http_answer

HOST = "forum.example.org"
AT = f"https://{HOST}"


@pytest.fixture
async def web() -> AsyncIterator[FakeWebServer]:
    async with FakeWebServer(HOST) as server:
        yield server


def client(web: FakeWebServer, **changed: Any) -> SourceClient:
    async def resolve(host: str, port: int) -> Sequence[tuple[str, int]]:
        if host == HOST:
            return [("127.0.0.1", web.port)]
        return [] if host == "nowhere.example.org" else await resolve_public(host, port)

    return SourceClient(**({"resolve": resolve, "make_ssl_context": web.make_ssl_context} | changed))


async def test_a_page_comes_whole_from_where_it_is_at_last(web: FakeWebServer) -> None:
    web.answers["/old"] = http_answer(b"", "302 Found", "Location: /notes/1")
    web.answers["/notes/1"] = http_answer(b"<p>seeds</p>", "200 OK", "Content-Type: text/html; charset=utf-8")

    found = await client(web).fetch(f"{AT}/old")

    assert (found.state, found.url, found.content) == (SourceState.FOUND, f"{AT}/notes/1", b"<p>seeds</p>")
    assert found.content_type == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("410 Gone", SourceState.GONE),
        ("404 Not Found", SourceState.GONE),
        ("403 Forbidden", SourceState.GONE),
        ("429 Too Many Requests", SourceState.UNAVAILABLE),
        ("503 Busy", SourceState.UNAVAILABLE),
    ],
)
async def test_gone_and_not_now_are_told_apart(web: FakeWebServer, answer: str, state: SourceState) -> None:
    web.answers["/x"] = http_answer(b"", answer)

    assert (await client(web).fetch(f"{AT}/x")).state is state


async def test_what_is_too_long_too_slow_or_a_circle_is_not_had(web: FakeWebServer) -> None:
    web.answers["/long"] = http_answer(b"x" * 5000)
    web.answers["/slow"] = None
    web.answers["/circle"] = http_answer(b"", "301 Moved", "Location: /circle")

    reasons = [
        (await client(web, most_octets=4000).fetch(f"{AT}/long")).reason,
        (await client(web, timeout_s=0.1).fetch(f"{AT}/slow")).reason,
        (await client(web).fetch(f"{AT}/circle")).reason,
        (await client(web).fetch("https://nowhere.example.org/")).reason,
    ]

    assert reasons == [
        f"{HOST} answers too much",
        "did not answer within 0.1 s",
        "redirects more than 5 times",
        "leads to a host that the DNS does not know",
    ]


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "https://localhost/", "http://[::1]/", "http://169.254.169.254/", "file:///etc/passwd"),
        *("http://[64:ff9b::127.0.0.1]/", "https://[", "https://[::1"),
    ],
)
async def test_our_own_network_is_never_asked_not_even_after_a_redirect(web: FakeWebServer, url: str) -> None:
    web.answers["/lure"] = http_answer(b"", "302 Found", f"Location: {url}")

    direct, lured = await client(web).fetch(url), await client(web).fetch(f"{AT}/lure")

    assert (direct.state, lured.state) == (SourceState.UNAVAILABLE, SourceState.UNAVAILABLE)
    assert web.requests == ["GET /lure"]
