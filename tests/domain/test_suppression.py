"""Each reason for a suppression has words and decisions: a new one fails here until somebody has made them."""

from __future__ import annotations

import pytest

from mailer.domain.consent import ConsentAct
from mailer.domain.suppression import LIFTABLE_REASONS, LIFTED_BY_REQUEST, REFUSING_REASONS, SuppressionReason
from tests.support.app_helpers import ROOT

WORDS = (ROOT / "templates" / "console" / "people_words.html.j2").read_text()
DOCS = (ROOT / "docs" / "people.md").read_text()
BY_THE_PERSON_ALONE = {SuppressionReason.LEFT, SuppressionReason.NEVER}
"""What only the person takes back: LEFT by confirming a letter, NEVER not at all."""


@pytest.mark.parametrize("reason", SuppressionReason)
def test_each_reason_has_a_word_in_the_console_and_a_row_in_the_documentation(reason: SuppressionReason) -> None:
    table = DOCS[DOCS.index("| suppressed, since |") :]

    assert f'"{reason}": _(' in WORDS[WORDS.index("macro reason") : WORDS.index("macro consent")]
    assert f"**{reason}**" in table[: table.index("\n\n")]


@pytest.mark.parametrize("act", ConsentAct)
def test_each_line_of_the_consent_record_has_a_word_in_the_console(act: ConsentAct) -> None:
    assert f'"{act}": _(' in WORDS[WORDS.index("macro consent") : WORDS.index("macro channel")]


def test_each_reason_is_lifted_by_somebody_and_none_both_by_a_request_and_refused() -> None:
    assert set(LIFTABLE_REASONS) | BY_THE_PERSON_ALONE == set(SuppressionReason)
    assert not BY_THE_PERSON_ALONE & set(LIFTABLE_REASONS)
    assert set(LIFTED_BY_REQUEST) <= set(LIFTABLE_REASONS)
    assert set(REFUSING_REASONS) <= set(LIFTABLE_REASONS) - set(LIFTED_BY_REQUEST)
