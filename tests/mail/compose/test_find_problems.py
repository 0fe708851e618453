"""All mistakes of a text at once, each with its line; parsing it finds no other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import CampaignFile, parse_campaign_file
from mailer.mail.compose.find_problems import find_problems
from mailer.mail.compose.problem import Problem, ProblemSeverity, Rule
from mailer.mail.compose.writing_faults import refuse_writing_faults
from tests.support.app_helpers import APPEAL

MANY = """\
---
subject: Come {{ town }}
subjekt: x
language: tr
tags: a
action:
  label: Come
  url: http://forum.example.org
event:
  name: Harvest forum
subject: Twice
---
Dear {{ name }} and {{ town }},

[here](javascript:alert) and ![](https://forum.example.org/x.png)
come }} all
"""


def _composed(campaign_file: CampaignFile) -> frozenset[str]:
    return campaign_file.merge_field_names


def _found(text: str, language: str = "en", known: frozenset[str] | None = None) -> list[tuple[int | None, str, str]]:
    return [(one.line, one.field, one.severity) for one in find_problems(text, language, _composed, known)]


def test_every_mistake_is_found_at_once() -> None:
    assert _found(MANY) == [
        (2, "subject", "error"),
        (3, "subjekt", "error"),
        (4, "language", "error"),
        (5, "tags", "error"),
        (8, "action", "error"),
        (9, "event", "error"),
        (11, "subject", "error"),
        (13, "body", "error"),
        (13, "body", "error"),
        (15, "body", "error"),
        (15, "body", "error"),
        (16, "body", "error"),
    ]


def test_a_good_letter_has_no_problem() -> None:
    assert find_problems(APPEAL, "en", _composed) == ()


@pytest.mark.parametrize(
    ("text", "field", "line"),
    [
        ("", "", 1),
        ("Dear all", "", 1),
        ("---\nsubject: x\n", "", 1),
        ("---\nsubject: [x\n---\nHi", "", 2),
        ("---\n- a\n---\nHi", "", 2),
        ("---\nsubject: x\n---\nHi \x07", "", 4),
        ("---\ntitle: x\n---\nHi", "subject", 1),
        ("---\nsubject: x\n---\n \n", "body", 4),
        ("---\nsubject: x\n---\n{% if %}", "body", 4),
        ("---\nsubject: x\n---\n{% if name %}\nHi", "body", 5),
        ("---\nsubject: x\nlead: a {{ b }}\n---\nHi", "lead", 3),
    ],
)
def test_what_cannot_be_sent_is_an_error_with_its_place(text: str, field: str, line: int) -> None:
    [one] = find_problems(text, "en", _composed)

    assert (one.severity, one.field, one.line) == (ProblemSeverity.ERROR, field, line)


def test_a_letter_that_cannot_be_composed_is_an_error() -> None:
    def refuse(_: CampaignFile) -> frozenset[str]:
        raise CampaignFileRefused("there is no template called 'poster'", None)

    [one] = find_problems(APPEAL, "en", refuse)

    assert (one.rule, one.message) == (Rule.FILE, "there is no template called 'poster'")


@settings(deadline=None)
@given(st.text("-subject: x\n{}%[]()!#\"' ornameTK", max_size=80).map("---\nsubject: Come\n".__add__))
def test_a_text_has_an_error_exactly_if_it_cannot_be_parsed(text: str) -> None:
    errors = [one for one in find_problems(text, "en", _composed) if one.severity is ProblemSeverity.ERROR]
    try:
        refuse_writing_faults(text)
        parse_campaign_file(text, "en")
    except CampaignFileRefused:
        assert errors
    else:
        assert not errors


def test_a_problem_keeps_its_key_when_it_moves_to_another_line() -> None:
    [one] = find_problems(APPEAL + "TK\n", "en", _composed)
    [moved] = find_problems(APPEAL + "\n\nTK\n", "en", _composed)
    [other] = find_problems(APPEAL + "???\n", "en", _composed)

    assert (one.key == moved.key, one.key == other.key, one.line == moved.line) == (True, False, False)
    assert isinstance(one, Problem)
