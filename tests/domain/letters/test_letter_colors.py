"""The colours of a letter: whatever accent a list chooses, its texts can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.letters.letter_colors import LEAST_CONTRAST, OWN_ACCENT, contrast_ratio, derive_colors, mix

accents = st.binary(min_size=3, max_size=3).map(lambda octets: f"#{octets.hex()}")


def test_contrast_is_that_of_the_guideline():
    assert contrast_ratio("#000000", "#ffffff") == contrast_ratio("#ffffff", "#000000") == pytest.approx(21)
    assert contrast_ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast_ratio("#1b6b59", "#1b6b59") == 1


def test_colours_are_mixed_by_their_share():
    assert mix("#ff0000", "#0000ff", 0.2) == "#3300cc"
    assert mix("#123456", "#ffffff", 1) == "#123456"


@given(accents)
def test_with_any_accent_every_text_stands_out_from_its_ground(accent):
    colors = derive_colors(accent)

    texts = {
        colors.on_accent: [colors.accent],
        colors.link: [colors.page, colors.card, colors.tint],
        colors.dark_accent: [colors.dark_page, colors.dark_card, colors.dark_tint],
        colors.on_dark_accent: [colors.dark_accent],
    }
    low = [(t, g) for t, grounds in texts.items() for g in grounds if contrast_ratio(t, g) < LEAST_CONTRAST]
    assert low == []


@given(accents)
def test_the_body_text_stands_out_from_a_pale_ground_of_any_accent(accent):
    colors = derive_colors(accent)

    assert contrast_ratio("#1d2a2c", colors.tint) >= 7
    assert contrast_ratio("#4a5a5e", colors.tint) >= LEAST_CONTRAST
    assert contrast_ratio("#e2e9e7", colors.dark_tint) >= 7
    assert contrast_ratio("#b9c6c5", colors.dark_tint) >= LEAST_CONTRAST


def test_an_accent_that_can_be_read_stays_as_it_is():
    assert derive_colors("#1b6b59").accent == derive_colors("#1b6b59").link == "#1b6b59"
    assert derive_colors("#1b6b59").on_accent == "#ffffff"


def test_a_pale_accent_is_kept_for_buttons_and_darkened_for_links():
    colors = derive_colors("#FFD400")

    assert colors.accent == "#ffd400"
    assert colors.on_accent != "#ffffff"
    assert colors.link != "#ffd400"


def test_a_list_without_an_accent_has_ours():
    assert derive_colors(None) == derive_colors(OWN_ACCENT)
