"""Markdown rendered as safe HTML."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused
from mailer.mail.markdown.markdown import parse_markdown, render_html
from mailer.mail.markdown.plain_text import render_plain_text

HARMLESS = {"a", "br", "code", "em", "img", "s", "strong"} | {
    "p",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "ol",
    "ul",
    "li",
    "pre",
    "blockquote",
}


def html(source: str) -> str:
    return render_html(parse_markdown(source)).strip()


def plain(source: str) -> str:
    return render_plain_text(parse_markdown(source))


def test_raw_html_is_shown_and_not_obeyed():
    assert html("<script>alert(1)</script> <b onclick='x()'>b</b>").startswith("<p>&lt;script&gt;alert(1)")


def test_the_letters_title_stays_the_only_first_heading():
    assert html("# One\n\n## Two\n\n### Three") == "<h2>One</h2>\n<h2>Two</h2>\n<h3>Three</h3>"


def test_tables_keep_their_alignment_without_style():
    assert '<td align="right">1</td>' in html("|a|\n|-:|\n|1|")


@given(st.text(alphabet="<>[]()!*`~ #-\n\\\"'=&;:/hrefscipton123.", max_size=60))
def test_no_text_makes_html_beyond_the_allowed_tags(source):
    try:
        written = html(source)
    except CampaignFileRefused:
        return

    tags = {tag.lower() for tag in re.findall(r"<\s*/?\s*([A-Za-z][A-Za-z0-9]*)", written)}
    assert tags <= HARMLESS
    assert all(url.startswith(("https://", "mailto:", "tel:")) for url in re.findall(r'(?:href|src)="([^"]*)', written))


def test_a_line_end_among_chinese_characters_is_no_space_in_either_part():
    source = "我们再次相聚，\n欢迎您来 Köln\n今年。"

    assert plain(source) == "我们再次相聚，欢迎您来 Köln 今年。"
    assert "相聚，欢迎您来 Köln\n今年" in html(source)


def test_a_bare_address_reads_from_left_to_right_among_arabic_words():
    assert '<a href="https://example.org/a/" dir="ltr">' in html("التفاصيل: <https://example.org/a/>.")
