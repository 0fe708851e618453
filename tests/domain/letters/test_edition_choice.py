"""Which edition a reader gets: their language's, a broader one, the list's, the first; one function says it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.letters.edition_choice import Fallback, choose_edition, count_by_edition

TAGS = st.sampled_from(["en", "pt", "pt-br", "de", "de-at", "ku", "zh-hant-tw", "zh-hant", "tr"])
EDITIONS = st.lists(TAGS, min_size=1, max_size=6, unique=True)


@pytest.mark.parametrize(
    ("language", "of_list", "edition", "why"),
    [
        ("pt", "de", "pt", Fallback.OWN),
        ("pt-br", "de", "pt", Fallback.BROADER),
        ("zh-hant-tw", "de", "zh-hant", Fallback.BROADER),
        ("ku", "de", "de", Fallback.LIST),
        ("ku", "de-ch", "de", Fallback.LIST),
        (None, "de", "de", Fallback.LIST),
        ("", "pt", "pt", Fallback.LIST),
        ("ku", "tr", "en", Fallback.DEFAULT),
        (None, "tr", "en", Fallback.DEFAULT),
    ],
)
def test_the_own_language_comes_before_a_broader_one_the_lists_and_the_first(language, of_list, edition, why):
    chosen = choose_edition(language, ["en", "de", "pt", "zh-hant"], of_list)

    assert (chosen.language, chosen.fallback) == (edition, why)


def test_a_reader_of_what_is_sent_alone_gets_one_of_those_even_if_their_language_has_changed_since():
    assert choose_edition("ku", ["en", "ku", "de"], "de", sent=("en", "ku")).language == "ku"
    assert choose_edition("de", ["en", "ku", "de"], "de", sent=("en", "ku")).language == "en"


@given(st.dictionaries(TAGS | st.just(""), st.integers(0, 500)), EDITIONS, TAGS)
def test_everybody_is_counted_once_with_the_edition_that_is_chosen_for_them(numbers, editions, of_list):
    counted = count_by_edition(numbers, editions, of_list)

    assert [one.language for one in counted] == editions
    assert sum(one.readers for one in counted) == sum(numbers.values())
    for one in counted:
        for group in one.groups:
            chosen = choose_edition(group.language or None, editions, of_list)
            assert (chosen.language, chosen.fallback) == (one.language, group.fallback)
            assert group.readers == numbers[group.language] > 0


@given(st.none() | TAGS, EDITIONS, TAGS, st.data())
def test_the_choice_is_one_of_the_editions_and_of_those_that_are_sent(language, editions, of_list, data):
    sent = data.draw(st.none() | st.sets(st.sampled_from(editions), min_size=1))

    chosen = choose_edition(language, editions, of_list, sent)

    assert chosen.language in (editions if sent is None else sent)
    if language in editions and (sent is None or language in sent):
        assert chosen.fallback is Fallback.OWN
