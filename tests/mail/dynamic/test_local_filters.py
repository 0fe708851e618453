"""Numbers and dates in letters follow the language of the letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compile_letter import compile_letter
from mailer.mail.compose.dynamic_content import parse_dynamic_text
from mailer.mail.dynamic.local_filters import format_day, format_number
from mailer.mail.message.letter import decode_part

NUMBERS = {
    "en": "1,234,567.5",
    "de": "1.234.567,5",
    "fr": "1\u202f234\u202f567,5",
    "pt-br": "1.234.567,5",
    "zh": "1,234,567.5",
    "xx": "1,234,567.5",
}
DAYS = {
    "en": "1 December 2026",
    "de": "1. Dezember 2026",
    "tr": "1 Aralık 2026",
    "ar": "1 ديسمبر 2026",
    "zh": "2026年12月1日",
    "pt-br": "1 de dezembro de 2026",
    "xx": "1 December 2026",
}


@pytest.mark.parametrize(("language", "written"), NUMBERS.items())
def test_a_number_is_written_as_is_usual_in_the_language(language: str, written: str) -> None:
    assert format_number(1234567.5, language) == format_number("1234567.5", language) == written


@pytest.mark.parametrize(("language", "written"), DAYS.items())
def test_a_day_is_written_as_is_usual_in_the_language(language: str, written: str) -> None:
    assert format_day("2026-12-01", language) == format_day(" 2026-12-01T19:30 ", language) == written


def test_a_day_has_shorter_and_longer_forms() -> None:
    assert [format_day("2026-12-01", "de", style) for style in ("short", "medium", "full")] == [
        "01.12.26",
        "01.12.2026",
        "Dienstag, 1. Dezember 2026",
    ]


@given(st.text(max_size=30), st.sampled_from([*NUMBERS, *DAYS, "", "a-b-c", "😀"]))
def test_what_is_neither_stays_as_it_is_and_nothing_fails(text: str, language: str) -> None:
    assert isinstance(format_number(text, language), str)
    assert isinstance(format_day(text, language), str)
    assert format_number(f"{text} apples", language) == f"{text} apples"
    assert format_day(f"on {text}", language) == f"on {text}"


def test_decimals_are_neither_rounded_nor_lost() -> None:
    assert format_number("-0.123456789", "de") == "-0,123456789"
    assert format_number(3, "de") == "3"
    assert format_number(True, "de") is True


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{{ "1.12.2026"|date }}', "is not a day like 2026-12-01"),
        ('{{ "2026-02-30"|date }}', "is not a day"),
        ('{{ "twelve"|number }}', "is not a number like 1234.5"),
        ('{{ day|date("wide") }}', "short, medium, long, full"),
        ("{{ day|date(style) }}", "short, medium, long, full"),
    ],
)
def test_a_mistake_in_the_text_itself_is_refused_by_line(text: str, says: str) -> None:
    with pytest.raises(CampaignFileRefused, match=says) as refused:
        parse_dynamic_text(f"Hi\n{text}", 4)

    assert refused.value.line == 5


def test_a_letter_has_them_in_its_own_language_whatever_the_readers(list_identity, templates, rosa) -> None:
    text = (
        '---\nsubject: "Am {{ day|date }}"\nlanguage: de\n---\n{{ "2026-12-01"|date("full") }}: {{ seeds|number }}.\n'
    )
    rosa.attributes.update(day="2026-12-05", seeds="1250")

    letter = compile_letter(parse_campaign_file(text, "en"), list_identity, templates, "tr", 42).write(rosa)

    assert "Dienstag, 1. Dezember 2026: 1.250." in decode_part(letter, "text")
    assert b"Subject: Am 5. Dezember 2026\r\n" in letter.content
