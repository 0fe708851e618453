"""Footnotes: numbered as they are named, their texts at the end, none of them lost."""

from __future__ import annotations

import pytest

from mailer.mail.markdown.markdown import find_faults, parse_markdown, render_html
from mailer.mail.markdown.plain_text import render_plain_text

TWO = "First[^b], second[^a], and the first again[^b].\n\n[^a]: Of A.\n[^b]: Of B.\n\nThe end.\n"


def test_they_are_numbered_in_the_order_of_the_text_and_stand_at_its_end():
    assert render_html(parse_markdown(TWO)) == (
        '<p>First<sup class="footnote">1</sup>, second<sup class="footnote">2</sup>, '
        'and the first again<sup class="footnote">1</sup>.</p>\n<p>The end.</p>\n'
        '<div class="footnotes">\n<ol>\n<li><p>Of B.</p>\n</li>\n<li><p>Of A.</p>\n</li>\n</ol>\n</div>\n'
    )
    assert render_plain_text(parse_markdown(TWO)) == (
        "First[1], second[2], and the first again[1].\n\nThe end.\n\n[1] Of B.\n\n[2] Of A."
    )


def test_they_are_named_from_every_block():
    source = "::: callout\n- x[^1]\n:::\n\n|a|\n|-|\n|y[^2]|\n\n# z[^3]\n\n[^1]: i\n[^2]: ii\n[^3]: iii\n"

    assert [f"[{number}]" in render_plain_text(parse_markdown(source)) for number in (1, 2, 3)] == [True] * 3


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("Hi\nthere[^1]", 2, "[^1] has no text: add a line [^1]: ..."),
        ("Hi\n\n[^1]: lost", 3, "no text names the footnote [^1]"),
        ("![a [^1]](https://example.org/a.png)\n\n[^1]: lost", 3, "no text names"),
        ("a[^1]\n\n[^1]: one\n\n[^1]: two", 5, "a second time"),
        ("a[^1] [^2]\n\n[^1]: one\n\n    [^2]: two", 5, "stands in another one"),
    ],
)
def test_one_that_would_be_lost_is_refused_by_line(source: str, line: int, says: str):
    [fault] = find_faults(source)

    assert fault.line == line
    assert says in fault.reason


def test_the_sign_of_a_footnote_in_code_or_before_a_link_is_none():
    written = render_html(parse_markdown("`[^1]` [^x](https://example.org)"))

    assert written == '<p><code>[^1]</code> <a href="https://example.org">^x</a></p>\n'
