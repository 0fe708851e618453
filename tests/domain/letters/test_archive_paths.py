"""Paths of the archive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.letters.archive_paths import letter_name, parse_letter_name, parse_letter_path, slug_of


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Come to the harvest forum!", "come-to-the-harvest-forum"),
        ("Äpfel für alle: Straßenfest", "apfel-fur-alle-strassenfest"),
        ("İzmir'de ılık bir akşam", "izmir-de-ilik-bir-aksam"),
        ("2026", "2026"),
        ("请来参加丰收论坛", "letter"),
        ("تعالوا إلى منتدى الحصاد", "letter"),
        ("…", "letter"),
    ],
)
def test_a_slug_is_made_of_the_latin_letters_and_digits_of_a_title(title, slug):
    assert slug_of(title) == slug


def test_a_long_title_makes_a_short_slug_of_whole_words():
    slug = slug_of("seeds " * 40)

    assert len(slug) <= 60
    assert set(slug.split("-")) == {"seeds"}


@given(st.text(max_size=80), st.integers(1, 10**17), st.sampled_from([None, "tr", "pt-br", "ckb"]))
def test_whatever_the_title_the_page_is_found_by_its_path(title, campaign_id, language):
    name = letter_name(campaign_id, slug_of(title), language)
    found = parse_letter_path(f"/archive/appeals/{name}")

    assert found is not None
    assert (found.list_name, found.campaign_id, found.slug, found.language) == (
        "appeals",
        campaign_id,
        slug_of(title),
        language,
    )


@pytest.mark.parametrize(
    "path",
    [
        "/archive/appeals",
        "/archive/appeals/2026",
        "/archive/appeals/tags/7-seeds",
        "/archive/appeals/7-seeds/tr/more",
        "/archive/appeals/0-seeds",
        "/archive/../7-seeds",
        "/join/appeals/7-seeds",
        "https://example.org/archive/appeals/7-seeds",
    ],
)
def test_other_paths_are_no_letters(path):
    assert parse_letter_path(path) is None


def test_a_year_is_no_letter():
    assert parse_letter_name("2026") is None
    assert parse_letter_name("7-seeds") == (7, "seeds")
