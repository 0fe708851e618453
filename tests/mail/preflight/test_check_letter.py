"""Letters of the house pass all checks, and no letter makes a check fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.message.letter import Letter
from mailer.mail.preflight.check_letter import check_letter
from mailer.mail.preflight.sample_letter import SampleLetter, mask_values
from tests.support.sample_letters import SITE_URL, house_letter, written_letter, wrong

LONG = "---\nsubject: Seeds\n---\n" + "## Seeds\n\nBring **your own** seeds, [as here](https://example.org/s).\n\n" * 60


def check(sample: SampleLetter) -> list[tuple[str, str]]:
    return wrong(check_letter(sample, site_url=SITE_URL, signing_domain=None))


UNSIGNED = [("warning", "the letter is not signed: no [[dkim]] signs for lists.example.org")]


@pytest.mark.parametrize("language", ["en", "ar", "tr", "zh"])
@pytest.mark.parametrize("accent", [None, "#ffee88", "#101010", "#ff00ff"])
def test_a_letter_of_the_house_passes_in_any_language_and_colour(language: str, accent: str | None) -> None:
    colours = {} if accent is None else {"accent_color": accent}

    assert check(house_letter(language=language, **colours)) == UNSIGNED


def test_a_long_letter_of_the_house_passes() -> None:
    assert check(house_letter(LONG)) == UNSIGNED


def test_a_letter_by_hand_passes() -> None:
    assert check(written_letter()) == UNSIGNED


@given(st.binary(max_size=400), st.text(max_size=100))
def test_no_body_makes_a_check_fail(octets: bytes, body: str) -> None:
    head = b"From: a@example.org\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    for content in (head, head + body.encode("utf-8", "replace"), head + octets):
        check_letter(SampleLetter(Letter("", "", content)), site_url=SITE_URL, signing_domain="example.org")


@given(st.text("<>/a =\"'&;!-[]x:", max_size=200))
def test_no_html_makes_a_check_fail(body: str) -> None:
    check(written_letter(body))


def test_what_a_reader_wrote_is_masked_as_it_stands_and_as_html() -> None:
    assert mask_values("to <b> & {{x}}, &lt;b&gt; &amp; {{x}} and al", ["<b> & {{x}}", "al"]) == "to x, x and al"
