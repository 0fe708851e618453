"""One source, two faces: the plain text of a notice and the passages its HTML is made of."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.compose.line_breaking import display_width
from mailer.mail.compose.notice_paragraphs import NoticeWords, Passage, Run, Style, one_line, read_words, write_text

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


def test_every_line_of_a_notice_is_a_passage_with_a_style():
    words = read_words(SOURCE)

    assert words.subject == "Please confirm"
    assert [passage.style for passage in words.body] == [
        Style.WORDS,
        Style.APART,
        Style.ITEM,
        Style.ITEM,
        Style.BUTTON,
    ]
    assert words.body[-1] == Passage(Style.BUTTON, "Yes, subscribe me", "https://example.org/confirm/abc")
    assert words.foot == (Passage(Style.WORDS, "Harvest Letters"),)


def test_the_plain_text_reads_well_without_any_marks():
    assert write_text(read_words(SOURCE)) == (
        "Somebody asked.\n\n"
        "    Calls to the harvest forum\n\n"
        "- To subscribe: appeals-join@example.org\n"
        "- To leave: appeals-leave@example.org\n\n"
        "Yes, subscribe me:\nhttps://example.org/confirm/abc\n\n"
        "-- \n"
        "Harvest Letters\n"
    )


def test_addresses_and_links_are_found_without_the_full_stop_after_them():
    passage = Passage(Style.WORDS, "Write to ada@example.org. Or see https://example.org/join/appeals.")

    assert passage.runs == (
        Run("Write to "),
        Run("ada@example.org", "mailto:ada@example.org"),
        Run(". Or see "),
        Run("https://example.org/join/appeals", "https://example.org/join/appeals"),
        Run("."),
    )


def test_a_no_break_space_holds_its_words_together_and_ends_a_link():
    words = read_words("Des questions\u00a0?\nVoir https://example.org/aide\u00a0: tout y est\u202f!\n")

    assert words.subject == "Des questions\u00a0?"
    assert words.body[0].text == "Voir https://example.org/aide\u00a0: tout y est\u202f!"
    assert [run.target for run in Passage(Style.WORDS, "https://example.org/aide\u00a0ici").runs] == [
        "https://example.org/aide",
        None,
    ]
    assert one_line("\u00a0 Pain\u00a0:\n  nouvelles\u2028ici \u00a0") == "Pain\u00a0: nouvelles ici"


def test_a_title_with_a_link_in_it_does_not_lead_the_button_elsewhere():
    title = "Appeals](https://example.com/mallory) [x"

    (button,) = read_words(f"Subject\n  [Subscribe me to {title}](https://example.org/confirm/abc)").body

    assert button.target == "https://example.org/confirm/abc"


@pytest.mark.parametrize("title", ["> Appeals", "- Appeals", "-", "[Appeals](https://example.com/mallory)"])
def test_a_sentence_that_begins_with_a_title_is_a_sentence_whatever_the_title(title):
    words = read_words(f"Subject\n{title} is a mailing list.\n{title}")

    assert words.body == (Passage(Style.WORDS, f"{title} is a mailing list."), Passage(Style.WORDS, title))


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_runs_put_together_are_the_text(text):
    passage = Passage(Style.WORDS, text)

    assert "".join(run.text for run in passage.runs) == text


@given(st.lists(st.tuples(st.sampled_from(("", "  > ", "  - ")), st.text(min_size=1).filter(str.strip)), min_size=1))
def test_plain_text_keeps_every_word_and_wraps_at_72_columns(lines):
    body = tuple(read_words("Subject\n" + "".join(f"{mark}{one_line(text)}\n" for mark, text in lines)).body)

    text = write_text(NoticeWords(subject="Subject", body=body, foot=()))

    letters = "".join(passage.text for passage in body if passage.style is not Style.BUTTON).replace(" ", "")
    assert all(display_width(line) <= 72 or " " not in line.removeprefix("- ").strip() for line in text.split("\n"))
    if all(passage.style in {Style.WORDS, Style.APART} for passage in body):
        assert re.sub("[ \n]", "", text.removesuffix("\n\n-- \n\n")) == letters
