"""Web addresses in plain text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.letters.text_links import split_links


def links(text: str) -> list[str]:
    """The addresses that are found."""
    return [piece for piece, is_link in split_links(text) if is_link]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(see https://harvest.example/a).", ["https://harvest.example/a"]),
        ("http://a.example/x?b=1&c=2, HTTPS://B.example…", ["http://a.example/x?b=1&c=2", "HTTPS://B.example"]),
        ("javascript:alert(1) data:text/html,x http:// mailto:x", []),
        ('http://a.example"onclick=x', ["http://a.example"]),
    ],
)
def test_web_addresses_are_found_and_nothing_else(text: str, found: list[str]) -> None:
    assert links(text) == found


@given(st.text() | st.text("htp:/.()s "))
def test_no_character_is_lost(text: str) -> None:
    assert "".join(piece for piece, _ in split_links(text)) == text


@pytest.mark.parametrize("part", [")", "http://a)", "(", "&gt;", "http://"])
def test_long_runs_of_brackets_take_linear_time(part: str) -> None:
    # Took minutes where each bracket was looked at once for each other.
    text = f"http://a.example/x{part * 200_000}x)"

    assert "".join(piece for piece, _ in split_links(text)) == text
