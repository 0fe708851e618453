"""What a reply to "please confirm" says, in ten languages; in doubt it is a no."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from words import NEVER, NO, YES

from mailer.mail.answers import Answer, read_answer
from mailer.mail.read import read_mail


@pytest.mark.parametrize("language", YES)
def test_these_words_agree(templates, language):
    for words in YES[language]:
        assert read_answer(words, templates.vocabulary) is Answer.YES, words


@pytest.mark.parametrize("language", NO)
def test_these_words_decline(templates, language):
    for words in NO[language]:
        assert read_answer(words, templates.vocabulary) is Answer.NO, words


@pytest.mark.parametrize("language", NEVER)
def test_these_words_ask_never_to_be_asked_again(templates, language):
    for words in NEVER[language]:
        assert read_answer(words, templates.vocabulary) is Answer.NEVER, words


@pytest.mark.parametrize(
    "words",
    [
        *("notes from me", "nothing to add: yes", "no-one told me", "No one else is coming, I am", "nobody", "norge"),
        *("stopwatch", "nothing", "not metered", "Yes! Do not stop", "Yes, it was me, not my brother", "Hi there, now"),
        *(
            "I am coming.\nno",
            "ok\n\nstop",
            "I will never again miss it",
            "Yes! When is it?",
            "I don't want to miss it",
        ),
    ],
)
def test_a_no_that_is_none_does_not_decline(templates, words):
    assert read_answer(words, templates.vocabulary) is Answer.YES


@pytest.mark.parametrize(
    "words",
    [
        "No stop signs here",
        "Who are you?",
        "Of course not",
        "Definitely no",
        "Creo que no",
        "Sorry, no",
        "Leider nein",
        "不好意思，我不想加入",
        "عذرا، لا",
        "Claro que no",
        "Конечно нет",
        "当然不",
        "Yes, but that was not me",
        "ok, unsubscribe me",
        "Nie gehört",
    ],
)
def test_in_doubt_it_is_a_no_but_not_for_ever(templates, words):
    assert read_answer(words, templates.vocabulary) is Answer.NO


def test_words_that_decline_only_in_the_quote_do_not_decline(templates):
    mail = read_mail(b"Subject: Re: x\r\n\r\n> no\r\n> unsubscribe\r\n\r\n-- \r\nno", "rosa@example.org")

    assert read_answer(mail.own_words, templates.vocabulary) is Answer.YES


@given(st.text(max_size=100))
def test_any_words_can_be_judged(templates, words):
    assert read_answer(words, templates.vocabulary) in set(Answer)
