"""Markdown rendered as safe HTML."""

from __future__ import annotations

import re
import time

import html5lib
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused
from mailer.mail.markdown.line_breaking import display_width
from mailer.mail.markdown.markdown import find_faults, find_links, parse_markdown, render_html
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
    "sup",
    "table",
    "tbody",
    "tr",
    "td",
    "div",
}
PATH = "/media/0123456789abcdef0123456789abcdef/apples-1200x800.jpg"


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


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("[a](http://example.org)", 1),
        ("x\n\n::: callout\n[a](/join)\n:::", 4),
        ("x[^1]\n\n[^1]: one\n    [a](javascript:b)", 4),
        ("|a|\n|-|\n|[a](ftp://example.org)|", 3),
        ("- [a](https://10.0.0.1){.button}", 1),
        ("![a](apples.jpg)", 1),
        ("![a](/media/x/apples.jpg)", 1),
        ("![a](mailto:ada@example.org)", 1),
        ("![a](tel:+4912345)", 1),
    ],
)
def test_a_link_that_is_not_allowed_is_refused_with_its_line_wherever_it_stands(source: str, line: int):
    assert [fault.line for fault in find_faults(source)] == [line]
    with pytest.raises(CampaignFileRefused) as refused:
        parse_markdown(source, first_line=10)
    assert refused.value.line == line + 9


def test_all_faults_are_found_by_line_and_the_first_is_the_one_that_refuses():
    source = "[a](http://example.org)\n\n::: callout\n\nx[^1]\n\n[b](https://example.org){.button} and\n"

    assert [fault.line for fault in find_faults(source)] == [1, 3, 5, 7]
    with pytest.raises(CampaignFileRefused, match="must begin with https"):
        parse_markdown(source)


def test_links_are_found_in_every_block_with_their_words():
    source = f"::: callout\n[a *b*](https://example.org)\n:::\n\n![x]({PATH} 'y') [^1]\n\n[^1]: [](https://example.net)"

    found = [(one.url, one.line, one.is_image, one.text) for one in find_links(source)]

    assert found == [
        ("https://example.org", 2, False, "a b"),
        (PATH, 5, True, "x"),
        ("https://example.net", 7, False, ""),
    ]


def test_a_file_of_ours_stands_in_the_letter_by_what_it_is_given_for():
    tokens = parse_markdown(f"![Apples]({PATH}) [in large]({PATH})\n\n`{PATH}` {PATH}")

    written = render_html(tokens, lambda path: f"https://lists.example.org/a&b{path}")

    assert written.count("https://lists.example.org/a&amp;b/media/") == 2
    assert f"<code>{PATH}</code> {PATH}</p>" in written


LETTERS = ["Zürich", "Καλημέρα", "привет", "שלום", "مرحبا", "नमस्ते", "你好", "こんにちは", "안녕", "สวัสดี", "ğüşiöçİ"]
WORDS = st.lists(
    st.sampled_from([*LETTERS, "seeds", "*x*", "`y`", "**", "<b>", "a|b", "[^1]", "{.button}"]), max_size=5
)
LINES = st.one_of(
    WORDS.map(" ".join),
    st.sampled_from(
        [
            *("", ":::", "::::", "::: callout", "::: columns", "::: column", "::: signature", ":::: columns", "::: no"),
            *("- x", "  - y", "1. z", "> q", "> > r", "> ::: callout", "  :::", "    :::", "```", "# Head", "---"),
            *("|a|b|", "|-|-|", "[^1]: note", "[^2]: note", "    more", "x[^2]"),
            *(
                "[Come](https://example.org/x){.button}",
                "- [Come](https://example.org/x){.button}",
                "[a]: https://b.de",
            ),
            *(
                f'![Apples]({PATH} "From <last> & year")',
                f"![-]({PATH})",
                f"[![x]({PATH})](https://example.org)",
                "![]()",
            ),
        ]
    ),
)
BLOCKS = st.lists(LINES, max_size=14).map("\n".join)


@given(BLOCKS)
@example(":::\n" * 30 + "> " * 400 + "x")
@example("::: callout\n" * 200)
@example("- " * 300 + "x")
def test_any_text_of_blocks_is_a_valid_page_or_is_refused_by_line(source: str):
    if faults := find_faults(source):
        with pytest.raises(CampaignFileRefused) as refused:
            parse_markdown(source)
        assert 1 <= (refused.value.line or 0) == faults[0].line <= source.count("\n") + 1
        return

    tokens = parse_markdown(source)
    page = f"<!doctype html><html lang=en><head><title>x</title></head><body>{render_html(tokens)}</body></html>"
    html5lib.HTMLParser(strict=True).parse(page)


@given(BLOCKS)
def test_no_line_of_a_text_of_blocks_is_too_long_but_for_what_cannot_be_broken(source: str):
    try:
        text = plain(source)
    except CampaignFileRefused:
        return

    assert [one for one in text.split("\n") if display_width(one) > 76 and "/" not in one] == []


@given(st.lists(st.sampled_from(LETTERS), min_size=1, max_size=3).map(" ".join))
def test_words_of_every_script_survive_in_every_block(words: str):
    block = f"""\
[{words}](https://example.org){{.button}}

![{words}]({PATH} "{words}")

::: callout
{words}

:::: columns
::: column
{words}
:::
::: column
{words}
:::
::::
:::

|{words}|x|
|-|-|
|{words}|y|

::: signature
{words}
:::

x[^1]

[^1]: {words}
"""

    assert html(block).count(words) == 10
    assert plain(block).count(words) == 10


@pytest.mark.parametrize("often", ["[", "![", "[a*b_", "[`", "\\\\[", "[" * 60 + "]" * 60])
def test_a_text_full_of_open_brackets_keeps_nobody_busy(often: str) -> None:
    source = (often * 100_000)[:100_000]
    began = time.process_time()

    assert find_links(source) == []
    with pytest.raises(CampaignFileRefused, match=r"too many brackets \[ are not closed"):
        parse_markdown(source)
    assert time.process_time() - began < 2


def test_a_long_text_with_a_thousand_links_is_read() -> None:
    assert len(find_links("[the mill](https://mill.example.org/map) and " * 1000)) == 1000
