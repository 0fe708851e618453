"""Yes, no, never and neither, in ten languages."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mailer.mail.inbound.command_words import longest_match, split_words
from mailer.mail.inbound.parse_mail import parse_inbound_mail
from mailer.mail.inbound.yes_no_reply import Answer, parse_answer
from mailer.mail.message.parsed_message import ParsedMessage
from tests.support.phrases_by_language import NEVER, NO, YES
from tests.support.reply_texts import AGREE, ASK, AUTOMATIC, DECLINE


def read_otherwise(vocabulary, texts, *expected):
    """Which of the answers are not read as expected."""
    answers = [(words, parse_answer(words, vocabulary)) for words in texts]
    return [(words, answer) for words, answer in answers if answer not in expected]


@pytest.mark.parametrize("language", AGREE)
def test_these_texts_say_yes(vocabulary, language):
    assert read_otherwise(vocabulary, [*YES.get(language, []), *AGREE[language]], Answer.YES) == []


@pytest.mark.parametrize("language", DECLINE)
def test_these_texts_say_no(vocabulary, language):
    assert read_otherwise(vocabulary, NO.get(language, []), Answer.NO) == []
    assert read_otherwise(vocabulary, DECLINE[language], Answer.NO, Answer.NEVER) == []


@pytest.mark.parametrize("language", NEVER)
def test_these_texts_ask_never_to_be_asked_again(vocabulary, language):
    assert read_otherwise(vocabulary, NEVER[language], Answer.NEVER) == []


@pytest.mark.parametrize("language", ASK)
def test_these_texts_are_no_answer(vocabulary, language):
    assert read_otherwise(vocabulary, ASK[language], Answer.NEITHER) == []


def test_automatic_replies_are_no_answer(vocabulary):
    assert read_otherwise(vocabulary, AUTOMATIC, Answer.NEITHER) == []


@pytest.mark.parametrize(
    "words",
    [
        "Yes! Do not stop",
        "Yes, it was me, not my brother",
        "Yes! When is it?",
        "I don't want to miss it",
        "No objection",
    ],
)
def test_a_phrase_that_begins_with_no_is_not_always_a_no(vocabulary, words):
    assert parse_answer(words, vocabulary) is Answer.YES


@pytest.mark.parametrize(
    "words",
    [
        *("notes from me", "nothing to add: yes", "No one else is coming, I am", "nobody", "norge", "stopwatch"),
        *("nothing", "not metered", "Hi there, now", "I am coming.\nno", "I will never again miss it", "now"),
        *("Neiné", "durum nedir", "hayırlı olsun", "noviembre", "nonante", "novembro", "нетто", "لازم", "-", "🙂"),
        "No stop signs here",
    ],
)
def test_text_that_only_begins_like_an_answer_is_none(vocabulary, words):
    assert parse_answer(words, vocabulary) is Answer.NEITHER


@pytest.mark.parametrize(
    "words",
    [
        *("Of course not", "Definitely no", "Creo que no", "Sorry, no", "Leider nein", "不好意思，我不想加入"),
        *("عذرا، لا", "Claro que no", "Конечно нет", "当然不", "Yes, but that was not me", "ok, unsubscribe me"),
        *("Nie gehört", "ok\n\nstop"),
    ],
)
def test_a_no_after_other_text_is_a_no_but_not_a_never(vocabulary, words):
    assert parse_answer(words, vocabulary) is Answer.NO


def test_a_no_in_the_quote_does_not_count(vocabulary):
    message = ParsedMessage(b"Subject: Re: x\r\n\r\n> no\r\n> unsubscribe\r\n\r\n-- \r\nno")
    mail = parse_inbound_mail(message, "rosa@example.org")

    assert parse_answer(mail.reply_text, vocabulary) is Answer.YES


ANSWERS = [one for texts in (AGREE, DECLINE, ASK) for words in texts.values() for one in words]
WORDS = st.sampled_from(ANSWERS)


@given(st.text(max_size=100) | st.lists(WORDS | st.sampled_from([", ", ". ", "\n", "?"]), max_size=4).map("".join))
def test_any_text_is_parsed(vocabulary, words):
    assert parse_answer(words, vocabulary) in set(Answer)


@given(
    answer=st.sampled_from([one for one in ANSWERS if "\n" not in one]),
    courtesy=st.sampled_from(["Hello Ada,\n", "Thanks!\n", "Sehr geehrte Frau Berg,\n\n", "您好，"]),
)
def test_a_greeting_before_an_answer_changes_nothing(vocabulary, answer, courtesy):
    assume(not longest_match(split_words(answer), 0, vocabulary.greetings))

    assert parse_answer(courtesy + answer, vocabulary) is parse_answer(answer, vocabulary)


@given(answer=st.sampled_from([*AGREE["en"], *DECLINE["de"]]), name=st.sampled_from(["Rosa", "Emma Falk", "Bea, Ulm"]))
def test_a_name_under_an_answer_changes_nothing(vocabulary, answer, name):
    assert parse_answer(f"{answer}\n\n{name}", vocabulary) is parse_answer(answer, vocabulary)
