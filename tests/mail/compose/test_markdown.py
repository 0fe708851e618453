"""Markdown as HTML that can do no harm, and as plain text that reads well."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.link import check_link
from mailer.mail.compose.markdown import parse_markdown, render_html
from mailer.mail.compose.plain_text import render_plain_text, underline, wrap

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


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://example.org/?a=1&b=2", "https://example.org/?a=1&b=2"),
        ("HTTPS://Bücher.example.org/ä", "https://xn--bcher-kva.example.org/%C3%A4"),
        ("mailto:ada@example.org?subject=Tea", "mailto:ada@example.org?subject=Tea"),
        ("tel:+49-30-12345", "tel:+49-30-12345"),
    ],
)
def test_good_links_are_sent_in_ascii(written, sent):
    assert check_link(written, 1) == sent


@pytest.mark.parametrize(
    "url",
    [
        "",
        "#top",
        "//example.org",
        "http://example.org",
        "ftp://example.org",
        "vbscript:x",
        "https://",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.0.0.0x1/",
        "https://[::1]/",
        "https://[::1/",
        "https://ada:secret@example.org/",
        "https://example.org\\@example.net/",
        "https://example.org:99999/",
        "https://exa mple.org/",
        "mailto:",
        "mailto:ada@192.0.2.1",
        "tel:ada",
    ],
)
def test_a_link_that_is_not_safe_to_send_is_refused(url):
    with pytest.raises(CampaignFileRefused) as refused:
        check_link(url, 9)

    assert refused.value.line == 9


@given(st.text(alphabet="<>[]()!*`~ #-\n\\\"'=&;:/hrefscipton123.", max_size=60))
def test_no_text_makes_html_beyond_the_allowed_tags(source):
    try:
        written = html(source)
    except CampaignFileRefused:
        return

    tags = {tag.lower() for tag in re.findall(r"<\s*/?\s*([A-Za-z][A-Za-z0-9]*)", written)}
    assert tags <= HARMLESS
    assert all(url.startswith(("https://", "mailto:", "tel:")) for url in re.findall(r'(?:href|src)="([^"]*)', written))


def test_plain_text_keeps_what_the_markdown_says():
    source = """# Bring *something*

A jar, **a loaf** or ~~nothing~~ `seeds` &amp; such.\\
See [last year](https://example.org/2025 "Pictures") or <https://example.org/>.

1. one
2. two
   - a
   - b

> Shared is doubled.
>
> > Indeed.

```
  keep   this
```

---

![A basket](https://example.org/basket.jpg) [ada@example.org](mailto:ada@example.org)

| Hour | What |
|------|------|
| 19   | Doors |
"""

    assert (
        plain(source)
        == """Bring something
---------------

A jar, a loaf or nothing seeds & such.
See last year <https://example.org/2025> or https://example.org/.

1. one
2. two
   - a
   - b

> Shared is doubled.
>
> > Indeed.

      keep   this

* * *

A basket ada@example.org

Hour | What
19 | Doors"""
    )


def test_a_loose_list_keeps_its_blank_lines():
    assert plain("- one\n\n  more\n- two") == "- one\n\n  more\n\n- two"


def test_lines_end_before_column_72_but_no_address_is_broken():
    address = "https://example.org/" + "a-long-path/" * 9

    text = plain(f"{'word ' * 40}[here]({address}) {'word ' * 40}")

    assert f"<{address}>" in text
    assert all(len(line) <= 72 or address in line for line in text.split("\n"))


def test_a_line_end_among_chinese_characters_is_no_space_in_either_part():
    source = "我们再次相聚，\n欢迎您来 Köln\n今年。"

    assert plain(source) == "我们再次相聚，欢迎您来 Köln 今年。"
    assert "相聚，欢迎您来 Köln\n今年" in html(source)


def test_a_bare_address_reads_from_left_to_right_among_arabic_words():
    assert '<a href="https://example.org/a/" dir="ltr">' in html("التفاصيل: <https://example.org/a/>.")


def test_wrapping_keeps_the_writers_own_lines():
    assert wrap("Warm regards,\n\nAda") == "Warm regards,\n\nAda"
    assert underline("Tea", "=") == "Tea\n==="


@given(st.text(max_size=120))
def test_plain_text_loses_no_word_of_a_plain_paragraph(source):
    words = re.findall(r"[a-z]+", source.lower())

    paragraph = "x" + " ".join(words)

    assert plain(paragraph).split() == paragraph.split()
