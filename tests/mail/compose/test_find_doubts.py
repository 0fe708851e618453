"""What a writer should look at: unfinished places, pictures nobody can hear, long subjects, unknown values."""

from __future__ import annotations

import time

import pytest

from mailer.mail.compose.find_doubts import LONG_SUBJECT, find_doubts
from mailer.mail.compose.problem import ProblemSeverity, Rule

START = "---\nsubject: Come\n---\n"


def _doubts(
    text: str, names: tuple[str, ...] = (), known: frozenset[str] | None = None
) -> list[tuple[Rule, int | None]]:
    found = find_doubts(text, frozenset(names), known)
    assert {one.severity for one in found} <= {ProblemSeverity.WARNING}
    return [(one.rule, one.line) for one in found]


@pytest.mark.parametrize("left", ["TK", "the hour is TK.", "???", "[[ ask Rosa ]]", "XXX", "Lorem ipsum dolor"])
def test_a_place_left_open_is_found(left: str) -> None:
    assert _doubts(f"{START}Dear all,\n{left}\n") == [(Rule.UNFINISHED, 5)]


@pytest.mark.parametrize("meant", ["Why? Why??", "[a](https://a.example.org)", "a[0]", "tk", "ATKINS", "xxx"])
def test_what_only_looks_like_it_is_not(meant: str) -> None:
    assert _doubts(f"{START}{meant}\n") == []


def test_an_open_place_in_a_field_is_found_too() -> None:
    assert _doubts("---\nsubject: TK\n---\nHi\n") == [(Rule.UNFINISHED, 2)]


def test_links_need_words() -> None:
    assert _doubts(f"{START}![seeds](https://a.example.org/y.png)\n\n[](https://a.example.org)\n") == [
        (Rule.EMPTY_LINK, 6)
    ]


def test_a_link_round_a_picture_has_words_if_the_picture_has() -> None:
    assert _doubts(f"{START}[![seeds](https://a.example.org/y.png)](https://a.example.org)\n") == []


def test_a_long_subject_is_counted_as_a_reader_without_values_gets_it() -> None:
    fits, longer = "x" * LONG_SUBJECT, "x" * (LONG_SUBJECT + 1)

    assert _doubts(f"---\nsubject: {fits}\n---\nHi\n") == []
    assert _doubts(f"---\nsubject: {longer}\n---\nHi\n") == [(Rule.LONG_SUBJECT, None)]
    assert _doubts(f"---\nsubject: '{fits[1:]}{{{{ name or \"y\" }}}}'\n---\nHi\n") == []


def test_a_value_that_no_reader_has_is_named_with_its_first_line() -> None:
    text = f'{START}Hi\n{{{{ town or "x" }}}} {{% if village %}}a{{% endif %}} {{{{ name or "x" }}}}\n'

    assert _doubts(text, ("town", "village", "name"), frozenset({"town"})) == [(Rule.UNKNOWN_VALUE, 5)]
    assert _doubts(text, ("town", "village", "name")) == []


def test_a_text_without_front_matter_has_no_doubts_but_errors() -> None:
    assert _doubts("TK") == []


def test_a_line_of_open_brackets_is_looked_through_at_once() -> None:
    began = time.process_time()

    assert _doubts(f"{START}{'[[' * 49_000}x\n") == []
    assert time.process_time() - began < 2
