from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.letters.list_design import check_accent_color
from mailer.errors import ListDesignRefused


@pytest.mark.parametrize(
    ("given_color", "color"),
    [("#1b6b59", "#1b6b59"), ("1B6B59", "#1b6b59"), (" #1a5 ", "#11aa55"), ("", None), ("  ", None)],
)
def test_a_colour_is_kept_in_one_form(given_color: str, color: str | None) -> None:
    assert check_accent_color(given_color) == color


@pytest.mark.parametrize("text", ["green", "#12", "#12345", "#1b6b59;", "rgb(1,2,3)", "#1b6b5g", "##1b6b59"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ListDesignRefused, match="#1b6b59"):
        check_accent_color(text)


@given(st.text(max_size=10))
def test_nothing_else_ever_gets_into_a_style(text: str) -> None:
    try:
        color = check_accent_color(text)
    except ListDesignRefused:
        return
    assert color is None or re.fullmatch("#[0-9a-f]{6}", color)
