"""Size, subject, text part and leftovers: each check is tripped by one letter, and not by the one beside it."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from mailer.mail.message.letter import Letter
from mailer.mail.preflight.check_parts import check_leftovers, check_plain_text, check_size, check_subject
from mailer.mail.preflight.sample_letter import SampleLetter
from tests.support.sample_letters import WORDS, written_letter, wrong


@pytest.mark.parametrize(
    ("octets", "severity"), [(80_000, []), (86_000, ["warning"]), (99_500, ["warning"]), (100_100, ["blocking"])]
)
def test_long_html_is_a_warning_and_html_that_is_cut_off_blocks(octets: int, severity: list[str]) -> None:
    assert [one for one, _ in wrong(check_size(written_letter(f"<p>{'a ' * (octets // 2)}</p>")))] == severity


@pytest.mark.parametrize(("octets", "severity"), [(1_000, []), (2_000_000, ["warning"]), (8_000_000, ["blocking"])])
def test_a_letter_is_weighed_with_what_is_attached(octets: int, severity: list[str]) -> None:
    message = EmailMessage()
    message.set_content(WORDS)
    message.add_attachment(b"x" * octets, maintype="application", subtype="pdf", filename="programme.pdf")

    results = list(check_size(SampleLetter(Letter("", "", message.as_bytes()))))

    assert [one for one, _ in wrong(results)] == severity
    assert "1 attached: programme.pdf" in [one.message for one in results]


@pytest.mark.parametrize(
    ("subject", "severity"),
    [
        ("Come to the orchard", []),
        ("Come!", []),
        ("Come to NATURE", []),
        ("WHO?", []),
        ("收获论坛", []),
        ("COME TO THE ORCHARD", ["warning"]),
        ("Come to the orchard!!", ["warning"]),
        ("  ", ["blocking"]),
    ],
)
def test_a_subject_is_there_and_does_not_shout(subject: str, severity: list[str]) -> None:
    message = EmailMessage()
    message["Subject"] = subject

    assert [one for one, _ in wrong(check_subject(SampleLetter(Letter("", "", message.as_bytes()))))] == severity


def test_a_shouting_name_of_a_reader_is_no_fault_of_the_letter() -> None:
    assert wrong(check_subject(written_letter(Subject="Come, ROSA!! now", values=("ROSA!!",)))) == []


def test_the_plain_text_says_what_the_html_says() -> None:
    more = "<p>But in the barn there are pears and plums, walnuts, quinces: whatever you like, until the evening.</p>"
    [(severity, message)] = wrong(check_plain_text(written_letter(more)))
    [(_, empty)] = wrong(check_plain_text(SampleLetter(Letter("", "", b"Subject: a\r\n\r\nhi\r\n"))))
    [(_, long)] = wrong(check_plain_text(written_letter(words="apples and pears " * 6)))

    assert (severity, "of what the HTML says" in message) == ("warning", True)
    assert empty == "there is hardly any plain text"
    assert long == "1 lines of the plain text have more than 78 characters"
    assert wrong(check_plain_text(written_letter())) == []


@pytest.mark.parametrize(
    "leftover",
    [
        "{{ subscriber.name }}",
        "{% if name %}",
        "*|FNAME|*",
        "*|IF:X|*",
        "%recipient.name%",
        "%%first_name%%",
        "[[name]]",
    ],
)
def test_a_merge_field_that_was_left_blocks(leftover: str) -> None:
    for sample in (
        written_letter(words=f"Dear {leftover}, {WORDS}"),
        written_letter(Subject=f"Come, {leftover}"),
        written_letter(f"<p>{leftover}</p>"),
    ):
        assert wrong(check_leftovers(sample)) == [("blocking", f"“{leftover}” was left in the letter")]


@pytest.mark.parametrize("words", ["50 % of all | 100%", "{ a set }", "a * b | c * d", "[name] [1]", "100%%"])
def test_signs_in_a_text_are_no_merge_fields(words: str) -> None:
    assert wrong(check_leftovers(written_letter(words=f"{words} {WORDS}"))) == []


def test_a_reader_whose_name_is_a_merge_field_blocks_nothing() -> None:
    name = "{{ 7 * 7 }}"

    assert wrong(check_leftovers(written_letter(words=f"Dear {name}, {WORDS}", values=(name,)))) == []
