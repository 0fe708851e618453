"""What a letter answers: written in its file, cited by title or address, and never a link that nobody can follow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.campaign_file_fields import ContentSource
from mailer.mail.compose.letter_fields import join_fields, split_fields
from mailer.mail.webmention.citation import cite, find_cited_letters

SITE = "https://lists.example.org/letters"
OWN = f"{SITE}/archive/appeals/7-harvest-forum"
TITLES = {"appeals/7": {"en": "Harvest forum", "tr": "Hasat forumu"}}


def written(answers: str) -> str:
    return f"---\nsubject: Tea\nanswers: {answers}\n---\nCome.\n"


def test_a_file_says_what_it_answers_with_words_or_without() -> None:
    plain = parse_campaign_file(written(OWN), "en")
    worded = parse_campaign_file(written(f"{{text: The forum's call, url: '{OWN}'}}"), "en")

    assert plain.answers == ContentSource(text="", url=OWN)
    assert worded.answers == ContentSource(text="The forum's call", url=OWN)
    assert parse_campaign_file("---\nsubject: Tea\n---\nCome.\n", "en").answers is None


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("http://forum.example.org/", "http"),
        ("mailto:ada@example.org", "https://"),
        ("7", "https://"),
        ("/archive/appeals/7-x", "https://"),
        ("{text: The call}", "url"),
        ("'https://forum.example.org/{{ name or 1 }}'", "merge fields"),
    ],
)
def test_what_nobody_could_follow_is_refused_with_its_line(answers: str, words: str) -> None:
    with pytest.raises(CampaignFileRefused, match=words) as refused:
        parse_campaign_file(written(answers), "en")

    assert refused.value.line == 3


@pytest.mark.parametrize(
    ("url", "language", "text"),
    [
        (OWN, "en", "Harvest forum"),
        (OWN, "tr", "Hasat forumu"),
        (OWN, "de", "Harvest forum"),
        (f"{OWN}/tr", "en", "Hasat forumu"),
        (f"{OWN}#seeds", "en", "Harvest forum"),
        (f"{SITE}/archive/appeals/8-other", "en", "lists.example.org/letters/archive/appeals/8-other"),
        ("https://forum.example.org/archive/appeals/7-x", "en", "forum.example.org/archive/appeals/7-x"),
        ("https://forum.example.org/", "en", "forum.example.org"),
    ],
)
def test_a_letter_of_ours_is_cited_by_its_title_and_another_page_by_its_address(
    url: str, language: str, text: str
) -> None:
    assert cite(ContentSource(text="", url=url), SITE, language, TITLES) == ContentSource(text=text, url=url)


def test_given_words_are_kept_and_nothing_is_cited_where_nothing_is_answered() -> None:
    worded = ContentSource(text="The call", url=OWN)

    assert cite(worded, SITE, "en", TITLES) == worded
    assert cite(None, SITE, "en", TITLES) is None


def test_letters_that_files_may_answer_are_found_in_either_form_and_nowhere_else() -> None:
    texts = [
        written(OWN),
        written("\n  text: The call\n  url: https://lists.example.org/archive/walks/12-x/tr"),
        f"---\nsubject: Tea\n---\nanswers: see [it]({OWN.replace('7-', '9-')})\n\n{OWN.replace('7-', '10-')}\n",
    ]

    assert find_cited_letters(texts[:2]) == {("appeals", 7), ("walks", 12)}
    assert ("appeals", 10) not in find_cited_letters(texts)


@given(st.text(max_size=60), st.sampled_from(["", OWN, "https://forum.example.org/é?x=1#y"]))
def test_a_form_gives_back_what_it_was_given(text: str, url: str) -> None:
    clean = " ".join("".join(one for one in text if one.isprintable()).split())
    joined = join_fields("---\nsubject: Tea\n---\nCome.\n", {"answers_text": clean, "answers_url": url})

    assert (split_fields(joined).answers_text, split_fields(joined).answers_url) == (clean, url)
