"""Whether a page links to ours: exactly, visibly, and whatever its markup is like."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.mail.webmention.mentioning_page import LONGEST_TITLE, clean_title, read_mentioning_page

TARGET = "https://lists.example.org/archive/appeals/7-harvest-forum"
URL = "https://forum.example.org/notes/1"


def links(html: str, *, url: str = URL, kind: str = "text/html; charset=utf-8", target: str = TARGET) -> bool:
    return read_mentioning_page(html.encode(), kind, url, target).links


@pytest.mark.parametrize(
    "html",
    [
        f'<p>See <a href="{TARGET}">this</a>.',
        f"<a href={TARGET}>x",
        f'<a class=u-in-reply-to href=" {TARGET}#seeds ">x</a>',
        f'<img src="{TARGET}">',
        f'<blockquote cite="{TARGET}">x</blockquote>',
        f'<video poster="{TARGET}">',
    ],
)
def test_a_page_that_links_to_the_letter_does(html: str) -> None:
    assert links(html)


@pytest.mark.parametrize(
    "html",
    [
        "",
        TARGET,
        f'<a href="{TARGET}-more">x</a>',
        f'<a href="{TARGET}?x=1">x</a>',
        '<a href="https://lists.example.org/">x</a>',
        f'<!-- <a href="{TARGET}">x</a> -->',
        f'<script>"<a href={TARGET}>"</script>',
        f'<template><a href="{TARGET}">x</a></template>',
        f'<style><a href="{TARGET}"></style>',
        '<a href="http://[broken">x</a>',
    ],
)
def test_a_page_that_only_names_it_or_links_elsewhere_does_not(html: str) -> None:
    assert not links(html)


def test_relative_links_are_followed_from_where_the_page_was_found() -> None:
    assert links('<a href="../archive/appeals/7-harvest-forum">x', url="https://lists.example.org/pages/1")
    assert not links('<a href="../archive/appeals/7-harvest-forum">x')


def test_plain_text_counts_and_other_kinds_do_not() -> None:
    assert links(f"We read {TARGET} today.", kind="text/plain")
    assert not links(f"We read {TARGET}-x today.", kind="text/plain")
    assert not links(f'<a href="{TARGET}">', kind="application/json")
    assert not links(f'<a href="{TARGET}">', kind="")


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<title> Seeds &amp;\n beans </title>", "Seeds & beans"),
        ('<title>Plain</title><meta property="og:title" content="For &lt;sharing&gt;">', "For <sharing>"),
        ("<title>One</title><svg><title>Two</title></svg>", "One"),
        ("<p>none</p>", ""),
        ("<title>turned \u202e round \x07</title>", "turned round"),
    ],
)
def test_a_title_is_one_plain_line(html: str, title: str) -> None:
    assert read_mentioning_page(html.encode(), "text/html", URL, TARGET).title == title


def test_a_title_comes_in_the_charset_that_the_page_declares() -> None:
    page = "<meta charset=iso-8859-9><title>Tohum şenliği</title>"

    assert read_mentioning_page(page.encode("iso-8859-9"), "text/html", URL, TARGET).title == "Tohum şenliği"
    declared = read_mentioning_page(page.encode("iso-8859-9"), "text/html; charset=utf-8", URL, TARGET).title
    assert declared.startswith("Tohum \ufffd")
    assert read_mentioning_page(b"<title>x</title>", "text/html; charset=nonsense", URL, TARGET).title == "x"


@given(st.text())
def test_a_clean_title_is_short_and_on_one_line(text: str) -> None:
    title = clean_title(text)

    assert len(title) <= LONGEST_TITLE
    assert title.splitlines() in ([], [title])
    assert title.encode().decode() == title


@given(st.binary(max_size=400), st.sampled_from(["text/html", "text/plain", "text/html; charset=utf-16"]), st.text())
@example(b"<![x[", "text/html", URL)
@example(b"<a href='http://[::1'>", "text/html", "http://[")
def test_no_page_whatever_breaks_the_reader(content: bytes, kind: str, url: str) -> None:
    page = read_mentioning_page(content, kind, url, TARGET)

    assert not page.links


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"b" * 500_000 + b"-" + b"a" * 500_000, "text/html; charset=punycode"),
        (b"<" * 1_000_000, "text/html"),
        (b"<b>" * 300_000, "text/html"),
    ],
)
def test_no_page_keeps_the_service_busy(content: bytes, kind: str) -> None:
    began = time.process_time()

    assert not read_mentioning_page(content, kind, URL, TARGET).links
    assert time.process_time() - began < 5


def test_of_an_endless_page_the_beginning_counts() -> None:
    more = "<b>x" * 200_000

    assert links(f'<a href="{TARGET}">x</a>{more}')
    assert not links(f'{more}<a href="{TARGET}">x</a>')


@pytest.mark.parametrize("charset", ["utf-8", "UTF-16", "iso-8859-9", "windows-1254", "koi8-r", "Shift_JIS", "gb18030"])
def test_charsets_of_pages_are_known(charset: str) -> None:
    page = f'<title>ok</title><a href="{TARGET}">'.encode(charset)

    assert read_mentioning_page(page, f"text/html; charset={charset}", URL, TARGET).links
