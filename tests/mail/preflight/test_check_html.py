"""Markup, pictures and links: what trips each check, and what does not."""

from __future__ import annotations

import pytest

from mailer.mail.preflight.check_html import check_links, check_markup, check_pictures, find_web_links, link_fault
from mailer.mail.preflight.html_elements import read_html
from tests.support.sample_letters import LEAVE, SITE_URL, written_letter, wrong


def links_of(body: str, values: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    sample = written_letter(body, values=values)
    return wrong(check_links(sample, read_html(sample.html), SITE_URL))


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("<script>1</script>", "script"),
        ("<form><input></form>", "form, input"),
        ('<p onclick="x()">a</p>', "onclick"),
        ("<iframe></iframe>", "iframe"),
    ],
)
def test_active_content_blocks(body: str, named: str) -> None:
    [(severity, message)] = wrong(check_markup(read_html(f'<html lang="en"><title>a</title>{body}</html>')))

    assert (severity, message) == ("blocking", f"the HTML holds {named}, which mail programs remove or distrust")


@pytest.mark.parametrize(
    "head",
    [
        '<link rel="stylesheet" href="https://fonts.example.org/a.css">',
        "<style>@import 'https://example.org/a.css';</style>",
        "<style>@font-face { src: url(https://example.org/a.woff) }</style>",
    ],
)
def test_styles_from_elsewhere_block(head: str) -> None:
    page = f'<html lang="en"><head><title>a</title>{head}</head></html>'

    assert wrong(check_markup(read_html(page))) == [("blocking", "the HTML loads styles or fonts from elsewhere")]


def test_language_and_title_are_asked_for() -> None:
    assert len(wrong(check_markup(read_html("<html><body>a</body></html>")))) == 2
    assert wrong(check_markup(read_html('<html lang="en"><title>a</title></html>'))) == []


def test_a_picture_without_a_text_is_told_and_an_ornament_is_not() -> None:
    page = read_html('<img src="a.jpg"><img src="b.jpg" alt=""><img src="c.jpg" alt="Apples">')
    pixel = read_html('<img src="d.gif" width="1" height="1">')

    assert [message.rpartition(": ")[2] for _, message in wrong(check_pictures(page))] == ["a.jpg"]
    assert wrong(check_pictures(pixel)) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://forum.example.org/come?town=K%C3%B6ln#top",
        "https://müller.example.org/",
        "https://example.org:8443/x",
        "mailto:ada@example.org",
        "tel:+49221123",
        "#top",
        "cid:apples",
    ],
)
def test_links_that_lead_somewhere_have_no_fault(url: str) -> None:
    assert link_fault(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "#",
        "http://example.org",
        "https://",
        "https://localhost/",
        "https://192.0.2.1/",
        "https://[::1]/",
        "https://3232235777/",
        "https://example.org/a b",
        "https://exa mple.org",
        "https://[broken",
        "https://example.org:99999/",
        "javascript:alert(1)",
        "apples.html",
        "//example.org/x",
    ],
)
def test_other_links_have_one(url: str) -> None:
    assert link_fault(url) is not None


def test_a_faulty_link_or_picture_blocks_once_and_links_of_the_service_are_not_looked_at() -> None:
    found = links_of(
        '<a href="apples.html">a</a><a href="apples.html">b</a><img src="http://example.org/a.png" alt="">'
    )

    assert [severity for severity, _ in found] == ["blocking", "blocking"]
    assert links_of(f'<a href="{LEAVE}">leave</a><a href="https://example.org">x</a>') == []


def test_what_a_reader_wrote_breaks_no_link() -> None:
    assert links_of('<a href="https://example.org/?town=New York">a</a>', values=("New York",)) == []


def test_words_that_name_another_host_than_the_link_look_like_a_fraud() -> None:
    [(severity, message)] = links_of('<a href="https://evil.example.net/">www.example.org</a>')

    assert (severity, "looks like a fraud" in message) == ("warning", True)
    assert links_of('<a href="https://forum.example.org/x">example.org</a><a href="https://example.org">Come</a>') == []


def test_the_links_to_ask_are_those_of_others() -> None:
    sample = written_letter(
        '<a href="https://example.org/a">a</a><a href="https://example.org/a">b</a><a href="#t">c</a>'
    )

    assert find_web_links(read_html(sample.html), SITE_URL) == ["https://example.org/a"]


def test_what_only_outlook_reads_is_no_part_of_the_page() -> None:
    outlook, others = "<!--[if mso]><p>b</p><![endif]-->", "<!--[if !mso]><!--><p>c</p><!--<![endif]-->"
    page = read_html(f"<p>a</p>{outlook}{others}<![x]><p>d</p>")

    assert [words for _, words in page.words] == ["a", "c", "d"]
