"""What a check before the launch found: its order, and what keeps the campaign back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailer.domain.health_check import fail, ok, warn
from mailer.domain.letters.preflight import (
    PreflightRule,
    PreflightSeverity,
    blocking,
    blocking_results,
    fine,
    from_health_check,
    sort_results,
    warning,
)

DKIM, SPF, TEXT, RECIPIENT = PreflightRule.DKIM, PreflightRule.SPF, PreflightRule.TEXT, PreflightRule.RECIPIENT


def test_the_gravest_comes_first_and_each_once() -> None:
    good, doubt, bad = fine(SPF, "it is there"), warning(SPF, "it says little"), blocking(DKIM, "another key")

    assert sort_results([good, doubt, bad, good, bad]) == (bad, doubt, good)


@pytest.mark.parametrize("rule", PreflightRule)
def test_a_reason_lets_all_pass_but_a_letter_that_cannot_be_written(rule: PreflightRule) -> None:
    found = [blocking(rule, "it is bad"), warning(rule, "it is doubtful"), fine(rule, "it is good")]

    assert blocking_results(found, anyway=False) == (found[0],)
    assert blocking_results(found, anyway=True) == ((found[0],) if rule in {TEXT, RECIPIENT} else ())


@pytest.mark.parametrize(
    ("check", "worst", "severity"),
    [
        (ok("spf x", "good"), PreflightSeverity.BLOCKING, PreflightSeverity.FINE),
        (warn("spf x", "so so"), PreflightSeverity.BLOCKING, PreflightSeverity.WARNING),
        (fail("spf x", "bad"), PreflightSeverity.BLOCKING, PreflightSeverity.BLOCKING),
        (fail("spf x", "bad"), PreflightSeverity.WARNING, PreflightSeverity.WARNING),
        (ok("spf x", "good"), PreflightSeverity.WARNING, PreflightSeverity.FINE),
    ],
)
def test_a_check_of_the_doctor_is_as_grave_as_it_says_up_to_a_limit(check, worst, severity) -> None:
    result = from_health_check(check, SPF, worst)

    assert (result.severity, result.message) == (severity, f"spf x: {check.message}")


def test_a_sentence_says_where_and_what_helps() -> None:
    result = blocking(TEXT, "the link is empty", "Write one.")

    assert result.sentence() == "the link is empty (Write one.)"
    assert replace(result, edition="tr", line=3).sentence() == "tr, line 3: the link is empty (Write one.)"
