"""Pictures: the size they are shown at, and what is read where they are not seen."""

from __future__ import annotations

import pytest

from mailer.mail.markdown.markdown import parse_markdown, render_html
from mailer.mail.markdown.plain_text import render_plain_text


def path(size: str) -> str:
    return f"/media/0123456789abcdef0123456789abcdef/apples-{size}.jpg"


@pytest.mark.parametrize(
    ("before", "size", "shown"),
    [
        ("{}", "1200x800", (512, 341)),
        ("{}", "400x300", (400, 300)),
        ("{}", "512x1", (512, 1)),
        ("{}", "20000x1", (512, 1)),
        ("::: callout\n{}\n:::", "1200x800", (464, 309)),
        ("::: columns\n::: column\n{}\n:::\n::: column\nx\n:::\n:::", "1200x800", (240, 160)),
        ("::: columns\n::: column\n{}\n:::\n::: column\nx\n:::\n::: column\ny\n:::\n:::", "1200x800", (154, 103)),
        ("> - {}", "1200x800", (464, 309)),
    ],
)
def test_a_picture_of_ours_is_as_wide_as_there_is_room(before: str, size: str, shown: tuple[int, int]):
    written = render_html(parse_markdown(before.format(f"![Apples]({path(size)})")))

    assert f'width="{shown[0]}" height="{shown[1]}"' in written
    assert ('class="full"' in written) == (size != "400x300")


@pytest.mark.parametrize("url", ["https://example.org/a-1200x800.jpg", path("x").replace("-x", "")])
def test_other_pictures_have_no_size(url: str):
    assert "width" not in render_html(parse_markdown(f"![Apples]({url})"))


def test_an_ornament_says_nothing():
    tokens = parse_markdown(f"a\n\n![-]({path('1200x8')})\n\nb")

    assert 'alt=""' in render_html(tokens)
    assert render_plain_text(tokens) == "a\n\nb"
