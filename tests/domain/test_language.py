"""Language tags: parsing, choice and direction."""

from __future__ import annotations

import pytest

from mailer.domain.language import choose_language, parse_language, text_direction


@pytest.mark.parametrize(
    ("text", "tag"),
    [("de", "de"), (" PT_br ", "pt-br"), ("zh-hant-tw", "zh-hant-tw"), ("", None), ("german", None), ("d", None)],
)
def test_a_tag_is_in_lower_case_with_hyphens(text, tag):
    assert parse_language(text) == tag


@pytest.mark.parametrize(
    ("preferred", "chosen"),
    [(["pt-br"], "pt"), ([None, "ja", "de"], "de"), (["de-at", "en"], "de"), (["ja"], None), ([], None)],
)
def test_the_first_preferred_language_that_is_available_is_chosen(preferred, chosen):
    assert choose_language(preferred, ["en", "de", "pt"]) == chosen


@pytest.mark.parametrize(("tag", "direction"), [("ar", "rtl"), ("fa-af", "rtl"), ("tr", "ltr")])
def test_the_direction_follows_the_language(tag, direction):
    assert text_direction(tag) == direction
