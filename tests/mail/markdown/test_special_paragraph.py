"""Buttons and pictures with captions: paragraphs of one link or one picture."""

from __future__ import annotations

import pytest

from mailer.mail.compose.merge_field import MergeField, Placeholders
from mailer.mail.markdown.markdown import find_faults, parse_markdown, render_html


def html(source: str) -> str:
    return render_html(parse_markdown(source)).strip()


@pytest.mark.parametrize("mark", ["{.button}", " {.button}"])
def test_a_link_alone_with_its_mark_is_a_button(mark: str):
    assert html(f"[Come *now*](https://example.org){mark}") == (
        '<table class="button-row" role="presentation" cellpadding="0" cellspacing="0" border="0"><tbody><tr>'
        '<td class="button"><a href="https://example.org">Come <em>now</em></a></td></tr></tbody></table>'
    )


def test_a_button_may_hold_a_merge_field_and_stand_in_a_list_or_a_column():
    placeholder = Placeholders.for_text("", (MergeField("name", "you"),)).for_index(0)

    assert f">For {placeholder}</a></td>" in html(f"- [For {placeholder}](https://example.org){{.button}}")


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("Do\n[come](https://example.org){.button}", 2, "a paragraph of its own"),
        ("[a](https://example.org){.button} [b](https://example.org){.button}", 1, "a paragraph of its own"),
        ("# [come](https://example.org){.button}", 1, "a paragraph of its own"),
        ("[come] (https://example.org){.button}", 1, "a paragraph of its own"),
        ("[come](https://example.org)\n{.button}", 2, "a paragraph of its own"),
        ("[](https://example.org){.button}", 1, "has no words"),
        ("[a](https://example.org){.big}", 1, "there is no {.big} for links; there is {.button}"),
    ],
)
def test_a_mark_that_makes_no_button_is_refused_by_line(source: str, line: int, says: str):
    assert {(fault.line, says in fault.reason) for fault in find_faults(source)} == {(line, True)}


def test_braces_that_are_no_mark_stay_text():
    assert html("a {.button in CSS} and `{.button}`").count("{.button") == 2


def test_a_picture_alone_with_a_title_has_it_as_its_caption():
    assert html('![Apples](https://example.org/a.jpg "From *last* <year>")') == (
        '<div class="figure"><img src="https://example.org/a.jpg" alt="Apples">'
        '<p class="caption">From *last* &lt;year&gt;</p></div>'
    )


def test_a_picture_with_a_caption_may_be_a_link():
    written = html('[![Apples](https://example.org/a.jpg "Last year")](https://example.org)')

    assert written.startswith('<div class="figure"><a href="https://example.org"><img ')
    assert '<p class="caption">Last year</p>' in written


@pytest.mark.parametrize("source", ["![Apples](https://example.org/a.jpg)", 'x ![A](https://example.org/a.jpg "Year")'])
def test_other_pictures_have_no_caption(source: str):
    assert "caption" not in html(source)
