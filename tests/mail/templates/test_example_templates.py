"""The templates that organisers begin with make letters as good as the house's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer.mail.compose.templates import Templates
from mailer.mail.message.letter import Letter
from mailer.mail.templates.example_templates import read_example
from mailer.mail.templates.prepare_template import prepare_template
from mailer.mail.templates.sample_letters import Sample, list_samples, write_sample
from tests.letters.test_spam_filter import MOST_POINTS, as_received, weigh
from tests.support.letter_checks import SentLetter, check_letter, check_parts
from tests.support.real_spamd import running_spamd

LONG_WORDS = "a letter with long words"
"""Which no plain text can break."""


def letters(templates: Templates, *, is_mjml: bool) -> dict[str, Letter]:
    """Each sample letter, by its name."""
    html, problems = prepare_template(read_example(is_mjml=is_mjml))
    assert problems == ()
    samples = [one for one in list_samples(templates) if not one.may_be_refused and one.name != LONG_WORDS]
    return {one.name: write_sample(html, without_signs(one), templates) for one in samples}


def without_signs(sample: Sample) -> Sample:
    """The sample without < and > in its words, which the checks would take for markup."""
    signs = str.maketrans("<>", "  ")
    own_title = sample.mailing_list.title.translate(signs)
    front_matter, body = sample.text.rsplit("---\n", 1)
    return replace(
        sample,
        text=f"{front_matter.translate(signs)}---\n{body}",
        mailing_list=replace(sample.mailing_list, title=own_title),
    )


@pytest.mark.parametrize("is_mjml", [False, True])
def test_receivers_and_strict_parsers_find_no_fault(templates: Templates, is_mjml: bool) -> None:
    faults = {}
    for name, letter in letters(templates, is_mjml=is_mjml).items():
        sent = SentLetter(letter.content, letter.return_path, letter.recipient)
        if found := [*check_letter(sent), *check_parts(sent)]:
            faults[name] = found

    assert faults == {}


@pytest.mark.slow
async def test_no_letter_looks_like_spam(templates: Templates, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    received = {
        f"{name} {is_mjml}": as_received(letter, now)
        for is_mjml in (False, True)
        for name, letter in letters(templates, is_mjml=is_mjml).items()
    }

    async with running_spamd(tmp_path) as port:
        found = await weigh(received, port)

    # The samples are dated in the future, and not signed.
    ours = {name: [one for one in rules if not one.name.startswith("DATE_IN")] for name, rules in found.items()}
    assert {name: rules for name, rules in ours.items() if sum(one.points for one in rules) > MOST_POINTS} == {}
