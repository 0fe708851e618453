"""What may be the address of a mention, and how long a source is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailer.domain.letters.webmention import MOST_TRIES, check_mention_url, mention_host, next_try_at
from mailer.errors import WebmentionRefused

NOW = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "url", ["https://forum.example.org/notes/1?x=y#z", "http://forum.example.org", "HTTPS://é.org/"]
)
def test_addresses_of_pages_are_taken(url: str) -> None:
    assert check_mention_url(f" {url} ", "source") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "forum.example.org",
        "ftp://forum.example.org/",
        "javascript:alert(1)",
        "https:///x",
        "https://ada:secret@forum.example.org/",
        "https://forum.example.org:0/",
        "https://forum.example.org:99999/",
        "https://forum.example.org/a b",
        "https://forum.example.org/\nx",
        'https://forum.example.org/"',
        "https://[broken/",
        "https://forum.example.org/" + "x" * 1000,
    ],
)
def test_what_is_no_address_of_a_page_is_refused(url: str) -> None:
    with pytest.raises(WebmentionRefused, match="the source must be the address of a page"):
        check_mention_url(url, "source")


def test_a_source_is_asked_for_some_times_and_then_no_more() -> None:
    waits = [next_try_at(tries, NOW) for tries in range(1, MOST_TRIES + 1)]

    assert waits == [NOW + timedelta(minutes=15), NOW + timedelta(hours=1), None]
    assert mention_host("https://Forum.Example.org:8443/x") == "forum.example.org"
