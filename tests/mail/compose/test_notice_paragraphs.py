"""The paragraphs of a notice, and the plain text made of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.compose.notice_paragraphs import (
    NoticeText,
    Paragraph,
    ParagraphStyle,
    TextRun,
    collapse_whitespace,
    parse_notice_text,
    render_notice_as_text,
)
from mailer.mail.markdown.line_breaking import display_width

SOURCE = """
Please confirm

Somebody asked.

  > Calls to the harvest forum

  - To subscribe: appeals-join@example.org

  - To leave: appeals-leave@example.org

  [Yes, subscribe me](https://example.org/confirm/abc)

---
Harvest Letters
"""


def test_every_line_of_a_notice_is_a_paragraph_with_a_style():
    words = parse_notice_text(SOURCE)

    assert words.subject == "Please confirm"
    assert [paragraph.style for paragraph in words.body] == [
        ParagraphStyle.TEXT,
        ParagraphStyle.QUOTE,
        ParagraphStyle.ITEM,
        ParagraphStyle.ITEM,
        ParagraphStyle.BUTTON,
    ]
    assert words.body[-1] == Paragraph(ParagraphStyle.BUTTON, "Yes, subscribe me", "https://example.org/confirm/abc")
    assert words.footer == (Paragraph(ParagraphStyle.TEXT, "Harvest Letters"),)


def test_the_plain_text_reads_well_without_any_marks():
    assert render_notice_as_text(parse_notice_text(SOURCE)) == (
        "Somebody asked.\n\n"
        "    Calls to the harvest forum\n\n"
        "- To subscribe: appeals-join@example.org\n"
        "- To leave: appeals-leave@example.org\n\n"
        "Yes, subscribe me:\nhttps://example.org/confirm/abc\n\n"
        "-- \n"
        "Harvest Letters\n"
    )


def test_addresses_and_links_are_found_without_the_full_stop_after_them():
    paragraph = Paragraph(ParagraphStyle.TEXT, "Write to ada@example.org. Or see https://example.org/join/appeals.")

    assert paragraph.runs == (
        TextRun("Write to "),
        TextRun("ada@example.org", "mailto:ada@example.org"),
        TextRun(". Or see "),
        TextRun("https://example.org/join/appeals", "https://example.org/join/appeals"),
        TextRun("."),
    )


def test_a_no_break_space_keeps_words_on_one_line_and_ends_a_link():
    words = parse_notice_text("Des questions\u00a0?\nVoir https://example.org/aide\u00a0: tout y est\u202f!\n")

    assert words.subject == "Des questions\u00a0?"
    assert words.body[0].text == "Voir https://example.org/aide\u00a0: tout y est\u202f!"
    assert [run.target for run in Paragraph(ParagraphStyle.TEXT, "https://example.org/aide\u00a0ici").runs] == [
        "https://example.org/aide",
        None,
    ]
    assert collapse_whitespace("\u00a0 Pain\u00a0:\n  nouvelles\u2028ici \u00a0") == "Pain\u00a0: nouvelles ici"


def test_a_title_with_a_link_in_it_does_not_lead_the_button_elsewhere():
    title = "Appeals](https://example.com/mallory) [x"

    (button,) = parse_notice_text(f"Subject\n  [Subscribe me to {title}](https://example.org/confirm/abc)").body

    assert button.target == "https://example.org/confirm/abc"


@pytest.mark.parametrize("title", ["> Appeals", "- Appeals", "-", "[Appeals](https://example.com/mallory)"])
def test_a_sentence_that_begins_with_a_title_is_a_sentence_whatever_the_title(title):
    words = parse_notice_text(f"Subject\n{title} is a mailing list.\n{title}")

    assert words.body == (
        Paragraph(ParagraphStyle.TEXT, f"{title} is a mailing list."),
        Paragraph(ParagraphStyle.TEXT, title),
    )


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_runs_put_together_are_the_text(text):
    paragraph = Paragraph(ParagraphStyle.TEXT, text)

    assert "".join(run.text for run in paragraph.runs) == text


@given(st.lists(st.tuples(st.sampled_from(("", "  > ", "  - ")), st.text(min_size=1).filter(str.strip)), min_size=1))
def test_plain_text_keeps_every_word_and_wraps_at_72_columns(lines):
    body = tuple(
        parse_notice_text("Subject\n" + "".join(f"{mark}{collapse_whitespace(text)}\n" for mark, text in lines)).body
    )

    text = render_notice_as_text(NoticeText(subject="Subject", body=body, footer=()))

    letters = "".join(paragraph.text for paragraph in body if paragraph.style is not ParagraphStyle.BUTTON).replace(
        " ", ""
    )
    assert all(display_width(line) <= 72 or " " not in line.removeprefix("- ").strip() for line in text.split("\n"))
    if all(paragraph.style in {ParagraphStyle.TEXT, ParagraphStyle.QUOTE} for paragraph in body):
        assert re.sub("[ \n]", "", text.removesuffix("\n\n-- \n\n")) == letters
